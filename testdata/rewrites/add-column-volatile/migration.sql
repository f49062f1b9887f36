ALTER TABLE orders ADD COLUMN token int DEFAULT seven() NOT NULL;
ALTER TABLE orders ADD number bigint CHECK (number > 0) DEFAULT nextval('numbers') UNIQUE, ADD plain int NOT NULL DEFAULT 5, ADD COLUMN state text NOT NULL DEFAULT say() COLLATE "C" CONSTRAINT short CHECK (length(state) < 10), ALTER note SET DEFAULT 'none';
ALTER TABLE orders ADD COLUMN customer bigint DEFAULT (seven()) REFERENCES customers ON DELETE SET NULL;
ALTER TABLE orders ADD COLUMN empty text DEFAULT nothing();
ALTER TABLE "Odd names" ADD "The Number" bigint DEFAULT nextval('numbers'::regclass) PRIMARY KEY, ADD UNIQUE ("The Number", "Id");
