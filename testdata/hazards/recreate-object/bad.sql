DROP TABLE IF EXISTS rates;
CREATE TABLE rates (currency text PRIMARY KEY, rate numeric, at date);
