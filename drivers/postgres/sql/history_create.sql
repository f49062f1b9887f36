-- Makes the tables of the history where they are missing. Several statements: one transaction.
CREATE TABLE IF NOT EXISTS {schema}.history (
    installed_rank    bigint PRIMARY KEY,
    version           text NOT NULL,
    description       text NOT NULL,
    kind              text NOT NULL,
    layout            text NOT NULL,
    script            text NOT NULL,
    state             text NOT NULL,
    units_done        bigint NOT NULL,
    statements        bigint NOT NULL,
    digest_raw        text NOT NULL,
    digest_normalized text NOT NULL,
    digest_tree       text NOT NULL,
    installed_by      text NOT NULL,
    installed_on      timestamp with time zone NOT NULL,
    duration_us       bigint NOT NULL,
    run               text NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.event (
    id              bigint PRIMARY KEY,
    run             text NOT NULL,
    at              timestamp with time zone NOT NULL,
    kind            text NOT NULL,
    version         text NOT NULL,
    unit            bigint NOT NULL,
    actor           text NOT NULL,
    db_role         text NOT NULL,
    host            text NOT NULL,
    git_commit      text NOT NULL,
    git_author      text NOT NULL,
    plan_digest     text NOT NULL,
    evidence_digest text NOT NULL,
    sql             text NOT NULL,
    duration_us     bigint NOT NULL,
    lock_wait_us    bigint NOT NULL,
    rows            bigint NOT NULL,
    sqlstate        text NOT NULL,
    detail          text NOT NULL,
    previous        text NOT NULL,
    digest          text NOT NULL
);
COMMENT ON TABLE {schema}.history IS 'One row per applied migration, written in its own transaction.';
COMMENT ON COLUMN {schema}.history.installed_rank IS 'Order of installation, from 1.';
COMMENT ON COLUMN {schema}.history.version IS 'As the file name has it; empty for repeatable migrations.';
COMMENT ON COLUMN {schema}.history.state IS 'applied, or incomplete: the next run goes on behind units_done.';
COMMENT ON COLUMN {schema}.history.units_done IS 'Transactions (and statements outside of one) that are committed.';
COMMENT ON COLUMN {schema}.history.digest_raw IS 'SHA-256 of the file.';
COMMENT ON COLUMN {schema}.history.digest_normalized IS 'SHA-256 without byte order mark, line ends unified, trailing blanks removed.';
COMMENT ON COLUMN {schema}.history.digest_tree IS 'Parser and SHA-256 of the parse trees; empty where not all was understood.';
COMMENT ON TABLE {schema}.event IS 'Append-only chain: each row holds the digest of the row before it. Verified by `migrate history --verify`.';
COMMENT ON COLUMN {schema}.event.id IS 'From 1, without gaps.';
COMMENT ON COLUMN {schema}.event.version IS 'Version, or script of a repeatable migration; empty for runs.';
COMMENT ON COLUMN {schema}.event.unit IS 'Step within the migration; 0 is the whole.';
COMMENT ON COLUMN {schema}.event.lock_wait_us IS '-1: not measured.';
COMMENT ON COLUMN {schema}.event.rows IS '-1: not known.';
COMMENT ON COLUMN {schema}.event.previous IS 'Digest of the event before; empty for the first.';
COMMENT ON COLUMN {schema}.event.digest IS 'SHA-256 over all other fields, see docs/history-format.md.'
