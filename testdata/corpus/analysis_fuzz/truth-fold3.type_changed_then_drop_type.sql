CREATE TYPE mood AS ENUM ('a');
CREATE TABLE t (m mood);
ALTER TABLE t ALTER m TYPE text;
-- migration
DROP TYPE mood CASCADE;
