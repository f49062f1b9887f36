UPDATE people SET lower_name = lower(name) WHERE id BETWEEN 1 AND 5000;
