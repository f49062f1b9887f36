ALTER TABLE users ADD CONSTRAINT email_given NOT NULL email;
