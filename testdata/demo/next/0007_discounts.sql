ALTER TABLE product ADD COLUMN discount_percent INTEGER NOT NULL DEFAULT 0;
UPDATE product SET discount_percent = 10 WHERE skew = 'POT-01';
ALTER TABLE customer DROP COLUMN registered_on;
