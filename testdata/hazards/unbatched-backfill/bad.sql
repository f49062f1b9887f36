UPDATE people SET lower_name = lower(name) WHERE lower_name IS NULL;
