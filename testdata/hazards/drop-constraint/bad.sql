ALTER TABLE prices DROP CONSTRAINT prices_positive;
