CREATE TABLE jobs (id bigint PRIMARY KEY, done boolean);
CREATE INDEX jobs_todo ON jobs (id) WHERE NOT done;
