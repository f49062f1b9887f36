CREATE TABLE cust (id int PRIMARY KEY, code varchar(10) UNIQUE, region int, UNIQUE (id, region)); INSERT INTO cust SELECT g, 'c'||g, g%5 FROM generate_series(1,200) g; CREATE TABLE ord (id int PRIMARY KEY, cust_id int, code varchar(10), region int); INSERT INTO ord SELECT g, 1+g%200, 'c'||(1+g%200), (1+g%200)%5 FROM generate_series(1,300) g;
-- migration
ALTER TABLE ord ADD FOREIGN KEY (region, cust_id) REFERENCES cust (region, id);
