ALTER TABLE purchase ADD COLUMN note text;
UPDATE purchase SET note = 'price in ${currency}' WHERE total > 100;
