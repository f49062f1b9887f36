ALTER TABLE orders ADD COLUMN counter serial;
ALTER TABLE orders ADD COLUMN "Small one" smallserial NOT NULL UNIQUE CHECK ("Small one" > 0), ADD note2 text;
ALTER TABLE lines ADD COLUMN id bigserial PRIMARY KEY;
