-- dbmate dump: not a migration
CREATE TABLE station (id INTEGER PRIMARY KEY);
