ALTER TABLE ev ADD PRIMARY KEY (id, at, who);
ALTER TABLE ev ADD CONSTRAINT once UNIQUE (n, at, who) INCLUDE (id) WITH (fillfactor = 80) DEFERRABLE, ADD CHECK (n > 0);
ALTER TABLE refers ADD CHECK (ev_id > 0);
ALTER TABLE alone ADD PRIMARY KEY (id, at);
