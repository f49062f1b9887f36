CREATE TABLE import (id bigint PRIMARY KEY);
TRUNCATE import;
