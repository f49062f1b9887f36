INSERT INTO plans (id, name) VALUES (7, 'team');
