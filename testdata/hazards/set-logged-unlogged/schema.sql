CREATE UNLOGGED TABLE cache (id bigint PRIMARY KEY, data text);
