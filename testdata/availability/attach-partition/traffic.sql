-- read 5
SELECT id, email, balance, region FROM accounts WHERE id = $1
-- join 2
SELECT a.name, m.amount, n.body FROM accounts a LEFT JOIN movements m ON m.account_id = a.id
    LEFT JOIN notes n ON n.account_id = a.id WHERE a.id = $1
-- insert 2
INSERT INTO accounts (email, name, region, ref) VALUES ('new' || $2 || '@example.org', 'new', $3, $2)
-- insert 2
INSERT INTO movements (id, account_id, amount) VALUES ($2, $1, $3)
-- insert 1
INSERT INTO notes (account_id, body) VALUES ($1, 'traffic')
-- update 4
UPDATE accounts SET balance = balance + $3, updated_at = now() WHERE id = $1
-- upsert 2
INSERT INTO accounts (email, name, region, ref) VALUES ('user' || $1 || '@example.org', 'again', $3, $2)
    ON CONFLICT (email) DO UPDATE SET balance = accounts.balance + 1
-- upsert 1
INSERT INTO accounts (email, name, region, ref) VALUES ('upsert' || $2 || '@example.org', 'first', $3, $2)
    ON CONFLICT (email) DO UPDATE SET balance = accounts.balance + 1
-- event 3
SELECT day, body FROM events WHERE id = $1
-- insert-event 3
INSERT INTO events (day, id, body) VALUES ($3 % 100, $2, 'traffic')
-- insert-new 2
INSERT INTO events_new (day, id, body) VALUES (1001 + $3 % 100, $2, 'traffic')
