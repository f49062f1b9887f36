ALTER TABLE orders ADD counter serial, ADD seven int NOT NULL DEFAULT seven() CHECK (seven > 0);
ALTER TABLE orders ADD number smallint GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 2);
