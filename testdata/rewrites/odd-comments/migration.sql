ALTER/*a*/TABLE--b
/*c*/orders/*d*/ADD/*e*/CONSTRAINT/*f, */amount_fits/*g*/CHECK/*h*/(/*i*/n/*j*/>/*k*/0/*l*/)/*m*/;
ALTER TABLE orders ADD -- x
 CONSTRAINT -- y, z
 k -- w
 UNIQUE (n) -- v
;
ALTER TABLE orders ADD /* c */ COLUMN /* d */ kind /* e */ text /* f */ DEFAULT /* g */ 'a' /* h */ CHECK /* i */ (kind <> '') /* j */, ADD /**/ FOREIGN /**/ KEY /**/ (customer_id) /**/ REFERENCES customers;
ALTER TABLE orders ALTER /**/ COLUMN /**/ note /**/ SET /**/ NOT /**/ NULL/**/, /**/ADD /**/ PRIMARY /**/ KEY /**/ ( id ), DROP /**/ CONSTRAINT /**/ orders_pkey;
CREATE/**/INDEX/**/i/**/ON/**/orders/**/(/**/old/**/)/**/;
DROP/**/INDEX/**/orders_note/**/;
REINDEX/**/TABLE/**/orders;
