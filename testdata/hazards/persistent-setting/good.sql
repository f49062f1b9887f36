SET LOCAL statement_timeout TO '30s';
