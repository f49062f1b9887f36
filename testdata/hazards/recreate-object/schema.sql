CREATE TABLE rates (currency text PRIMARY KEY, rate numeric);
