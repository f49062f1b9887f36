ALTER TABLE customers ADD COLUMN cart jsonb;
DROP TABLE carts, lines CASCADE;
CREATE INDEX ON customers (email);
DROP TABLE IF EXISTS never_there;
