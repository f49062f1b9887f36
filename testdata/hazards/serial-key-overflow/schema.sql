CREATE TABLE hits (id serial PRIMARY KEY);
CREATE TABLE idle (id bigserial PRIMARY KEY);
