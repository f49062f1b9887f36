CREATE TABLE hits (id bigserial PRIMARY KEY);
