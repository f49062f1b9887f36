-- Foreign keys are first looked at by the next COMMIT.
PRAGMA defer_foreign_keys = ON
