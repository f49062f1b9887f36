CREATE TABLE jobs (id bigint PRIMARY KEY, done boolean);
CREATE INDEX jobs_done ON jobs (done);
