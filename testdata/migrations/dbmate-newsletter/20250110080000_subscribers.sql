-- migrate:up
CREATE TABLE subscriber (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    confirmed_at timestamptz
);

-- migrate:down
DROP TABLE subscriber;
