/* The table of the driver's functions, and what needs no connection. */
#include "drivers/postgres/driver.h"
#include "drivers/postgres/usage.h"

#include <dlfcn.h>
#include <pg_config.h>
#include <unistd.h>

#include "drivers/postgres/backfill.h"
#include "drivers/postgres/rehearsal.h"

static bool read_schema(struct arena *a UNUSED, struct connection *c UNUSED, struct str **out_texts,
                        size_t *out_count, struct fail *f UNUSED)
{
    *out_texts = NULL;
    *out_count = 0;
    return true;
}

/*
 * The version that would be loaded, without loading it (4 ms): the library's file is named after
 * it, libpq.so.5 → libpq.so.5.15 of PostgreSQL 15, and lies beside libc.
 */
static const char *installed_version(void)
{
    static char version[64];
    char path[512];
    char target[256];
    Dl_info libc;

    if (!dladdr(dlsym(RTLD_DEFAULT, "getenv"), &libc) || !libc.dli_fname)
        return NULL;
    struct str file = str_of(libc.dli_fname);
    while (file.len && file.at[file.len - 1] != '/')
        file.len--;
    (void)snprintf(path, sizeof(path), "%.*slibpq.so.5", STR_ARG(file));
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    struct str name = {.at = target, .len = len > 0 ? (size_t)len : 0};
    if (!str_starts(name, STR("libpq.so.5.")))
        return NULL;
    name = str_skip(name, strlen("libpq.so.5."));
    (void)snprintf(version, sizeof(version), "%.*s", STR_ARG(name));
    return version;
}

static const char *library_version(bool is_runtime)
{
    return is_runtime ? installed_version() : PG_VERSION;
}

/* A run that is stopped still rolls back, writes down what happened and lets its lock go: requests
   to cancel, which are repeated, are for the statements of migrations. */

static bool shielded_rollback(struct connection *c, struct fail *f)
{
    pgdrv_shield(c);
    bool is_done = pgdrv_rollback(c, f);
    pgdrv_unshield(c);
    return is_done;
}

static bool shielded_append(struct connection *c, const struct journal_entries *entries,
                            bool is_durable, struct fail *f)
{
    pgdrv_shield(c);
    bool is_done = pgdrv_append(c, entries, is_durable, f);
    pgdrv_unshield(c);
    return is_done;
}

static bool shielded_reset_session(struct connection *c, struct fail *f)
{
    pgdrv_shield(c);
    bool is_done = pgdrv_reset_session(c, f);
    pgdrv_unshield(c);
    return is_done;
}

static void shielded_unlock(struct connection *c)
{
    pgdrv_shield(c);
    pgdrv_unlock(c);
    pgdrv_unshield(c);
}

const struct driver *postgres_driver(void)
{
    static const struct driver driver = {
        .engine = ENGINE_POSTGRES,
        .open = pgdrv_open,
        .close = pgdrv_close,
        .read_history = pgdrv_read_history,
        .read_applied = pgdrv_read_applied,
        .identity = pgdrv_identity,
        .read_events = pgdrv_read_events,
        .check_session = pgdrv_check_session,
        .try_lock = pgdrv_try_lock,
        .unlock = shielded_unlock,
        .prepare_history = pgdrv_prepare_history,
        .announce = pgdrv_announce,
        .begin = pgdrv_begin,
        .execute = pgdrv_execute_watched,
        .limit = pgdrv_limit,
        .wait_patiently = pgdrv_wait_patiently,
        .last_wait = pgdrv_last_wait,
        .table_holders = pgdrv_table_holders,
        .commit = pgdrv_commit_watched,
        .commit_ahead = pgdrv_commit_ahead,
        .await_commit = pgdrv_await_commit_watched,
        .rollback = shielded_rollback,
        .append = shielded_append,
        .reset_session = shielded_reset_session,
        .check_after = pgdrv_check_after,
        .probe = pgdrv_probe,
        .probe_before = pgdrv_probe_before,
        .flush = pgdrv_flush,
        .read_schema = read_schema,
        .read_catalog = pgdrv_read_catalog,
        .check_syntax = pgdrv_check_syntax,
        .examine = pgdrv_examine,
        .index_made_between = pgdrv_index_made_between,
        .drop_invalid_index = pgdrv_drop_invalid_index,
        .read_usage = pgdrv_read_usage,
        .last_write = pgdrv_last_write,
        .ranges = &pgdrv_ranges,
        .rehearsal = &pgdrv_rehearsal,
        .cancel = pgdrv_cancel,
        .library_version = library_version,
    };

    return &driver;
}
