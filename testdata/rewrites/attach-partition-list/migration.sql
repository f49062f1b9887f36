ALTER TABLE /* a */ places ATTACH /* b */ PARTITION "Places, west" FOR VALUES IN ( 'it''s (a)' /* c */ , 'pt' );
