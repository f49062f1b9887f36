-- migrate:up transaction:false
PRAGMA auto_vacuum = INCREMENTAL;
VACUUM;

-- migrate:down transaction:false
PRAGMA auto_vacuum = NONE;
VACUUM;
