-- Add up migration script here
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload jsonb NOT NULL,
    run_at timestamptz NOT NULL DEFAULT now()
);
