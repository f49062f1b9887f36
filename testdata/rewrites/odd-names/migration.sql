ALTER TABLE "Bestellüngen, (größe)" /* ü ü ü */ ADD COLUMN "größe ü" int DEFAULT 1 CHECK ("größe ü" > 0), ADD CONSTRAINT "prüfe ""x""" CHECK ("ß" > 0), ALTER "ß" SET NOT NULL, ADD UNIQUE ("ß");
ALTER TABLE orders ADD CONSTRAINT Foo CHECK (n > 0), ADD CONSTRAINT "Foo" CHECK (n > -1), ADD CONSTRAINT "select" UNIQUE (n), ADD CONSTRAINT "a.b" UNIQUE (n, id);
