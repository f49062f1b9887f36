ALTER ROLE CURRENT_USER SET statement_timeout TO '30s';
