CREATE TABLE big (id int PRIMARY KEY, total int);
CREATE TABLE little (id int PRIMARY KEY, total int);
