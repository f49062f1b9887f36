SET statement_timeout TO '6h';
