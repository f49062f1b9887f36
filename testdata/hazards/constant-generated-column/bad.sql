CREATE TABLE orders (id bigint PRIMARY KEY, kind text GENERATED ALWAYS AS ('order') STORED);
