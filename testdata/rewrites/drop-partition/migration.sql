DROP TABLE ev_1, ev_2;
DROP TABLE rest_1;
DROP TABLE gone, gone_1;
