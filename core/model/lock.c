/* One row for each mode: its names, and the modes it conflicts with. */
#include "core/model/lock.h"

#define BIT(m) (1u << (m))
#define FROM(m) (~(BIT(m) - 1) & (BIT(LOCK_MODE_MAX) - 1))

static const struct {
    const char *name;
    const char *sql;
    unsigned conflicts;
} modes[LOCK_MODE_MAX] = {
    [LOCK_NONE] = {"", "", 0},
    [LOCK_ACCESS_SHARE] = {"AccessShareLock", "ACCESS SHARE", FROM(LOCK_ACCESS_EXCLUSIVE)},
    [LOCK_ROW_SHARE] = {"RowShareLock", "ROW SHARE", FROM(LOCK_EXCLUSIVE)},
    [LOCK_ROW_EXCLUSIVE] = {"RowExclusiveLock", "ROW EXCLUSIVE", FROM(LOCK_SHARE)},
    [LOCK_SHARE_UPDATE_EXCLUSIVE] = {"ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE",
                                     FROM(LOCK_SHARE_UPDATE_EXCLUSIVE)},
    [LOCK_SHARE] = {"ShareLock", "SHARE",
                    BIT(LOCK_ROW_EXCLUSIVE) | BIT(LOCK_SHARE_UPDATE_EXCLUSIVE) |
                        FROM(LOCK_SHARE_ROW_EXCLUSIVE)},
    [LOCK_SHARE_ROW_EXCLUSIVE] = {"ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE",
                                  FROM(LOCK_ROW_EXCLUSIVE)},
    [LOCK_EXCLUSIVE] = {"ExclusiveLock", "EXCLUSIVE", FROM(LOCK_ROW_SHARE)},
    [LOCK_ACCESS_EXCLUSIVE] = {"AccessExclusiveLock", "ACCESS EXCLUSIVE", FROM(LOCK_ACCESS_SHARE)},
};

const char *lock_mode_name(enum lock_mode m)
{
    return modes[m].name;
}

enum lock_mode lock_mode_of_name(struct str name)
{
    for (int m = LOCK_NONE + 1; m < LOCK_MODE_MAX; m++) {
        if (str_equal(name, str_of(modes[m].name)))
            return (enum lock_mode)m;
    }
    return LOCK_NONE;
}

const char *lock_mode_sql(enum lock_mode m)
{
    return modes[m].sql;
}

bool lock_modes_conflict(enum lock_mode a, enum lock_mode b)
{
    return (modes[a].conflicts & BIT(b)) != 0;
}

bool lock_blocks_reads(enum lock_mode m)
{
    return lock_modes_conflict(m, LOCK_ACCESS_SHARE);
}

bool lock_blocks_writes(enum lock_mode m)
{
    return lock_modes_conflict(m, LOCK_ROW_EXCLUSIVE);
}

bool lock_blocks_traffic(enum lock_mode m)
{
    return lock_blocks_reads(m) || lock_blocks_writes(m);
}
