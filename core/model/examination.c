/* The names of checks. */
#include "core/model/examination.h"

const char *check_name(enum check c)
{
    static const char *const names[CHECK_COUNT] = {
        [CHECK_SERVER] = "server",
        [CHECK_POOLER] = "pooler",
        [CHECK_RIGHTS] = "rights",
        [CHECK_OWNERSHIP] = "ownership",
        [CHECK_SETTINGS] = "settings",
        [CHECK_TRANSACTIONS] = "transactions",
        [CHECK_INDEXES] = "indexes",
        [CHECK_CONSTRAINTS] = "constraints",
        [CHECK_PARTITIONS] = "partitions",
        [CHECK_SEQUENCES] = "sequences",
        [CHECK_WRAPAROUND] = "wraparound",
        [CHECK_HISTORY] = "history",
        [CHECK_MIGRATIONS] = "migrations",
        [CHECK_RUN_LOCK] = "run lock",
        [CHECK_FILE] = "file",
        [CHECK_JOURNAL] = "journal",
        [CHECK_FOREIGN_KEYS] = "foreign keys",
        [CHECK_INTEGRITY] = "integrity",
        [CHECK_LEFTOVERS] = "leftovers",
    };
    return names[c];
}
