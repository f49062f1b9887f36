CREATE TABLE jobs (id integer PRIMARY KEY, state text CHECK (state IN ('new', 'done')));
SELECT "state" FROM jobs;
