ALTER TABLE ONLY (orders) ADD CONSTRAINT c CHECK (n > 0);
ALTER TABLE orders * ADD CONSTRAINT d CHECK (n > 0);
ALTER TABLE IF EXISTS ONLY orders ADD CHECK (n > 1 - 1);
ALTER TABLE orders ADD CONSTRAINT c2 CHECK (note <> 'a'
'b'), ADD CONSTRAINT d2 CHECK (note <> $q$ , $q$ AND note <> E'\'),(' AND note <> 'ü,é');
ALTER TABLE orders ADD COLUMN k text DEFAULT 'a'
  'b' CHECK (k <> '') NOT NULL;
ALTER TABLE orders ADD COLUMN k3 text CHECK (k3 <> '') COLLATE "C" DEFAULT 'a';
ALTER TABLE orders ADD l text COLLATE "C" DEFAULT 'a' CHECK (l <> '');
