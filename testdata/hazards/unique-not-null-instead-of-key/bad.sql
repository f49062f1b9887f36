CREATE TABLE countries (code text NOT NULL UNIQUE);
