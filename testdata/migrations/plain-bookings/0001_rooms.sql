CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE room (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    seats integer NOT NULL CHECK (seats > 0)
);

CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id bigint NOT NULL REFERENCES room (id),
    during tstzrange NOT NULL,
    booked_by text NOT NULL,
    EXCLUDE USING gist (room_id WITH =, during WITH &&)
);
