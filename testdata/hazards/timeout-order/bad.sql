SET statement_timeout TO '2s';
SET lock_timeout TO '5s';
