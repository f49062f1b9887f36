CREATE TABLE "Orders" (id bigint PRIMARY KEY);
