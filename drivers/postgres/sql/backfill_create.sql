-- Makes the table of checkpoints where it is missing. Several statements: one transaction.
BEGIN READ WRITE;
SET LOCAL SESSION AUTHORIZATION DEFAULT;
SET LOCAL role TO DEFAULT;
CREATE TABLE IF NOT EXISTS {schema}.backfill (
    version    text NOT NULL,
    unit       bigint NOT NULL,
    format     bigint NOT NULL,
    digest     text NOT NULL,
    relation   text NOT NULL,
    key        text NOT NULL,
    lo         text NOT NULL,
    upto       text NOT NULL,
    filenode   bigint NOT NULL,
    rows       bigint NOT NULL,
    batches    bigint NOT NULL,
    visited    bigint NOT NULL,
    total      bigint NOT NULL,
    batch_size bigint NOT NULL,
    paused_us  bigint NOT NULL,
    started_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    run        text NOT NULL,
    PRIMARY KEY (version, unit)
) WITH (fillfactor = 10);
COMMENT ON TABLE {schema}.backfill IS 'How far steps that run in batches have come: a row is written in the transaction of each batch, and removed with the last one.';
COMMENT ON COLUMN {schema}.backfill.lo IS 'Up to here it is done: values of the key, or a page; empty: nothing.';
COMMENT ON COLUMN {schema}.backfill.upto IS 'Where it ends, as it was when the step began.';
COMMENT ON COLUMN {schema}.backfill.filenode IS 'Of the table then: the pages of another file are other rows.';
COMMENT ON COLUMN {schema}.backfill.visited IS 'Rows of the table so far; pages, where there is no key.';
COMMIT
