/*
 * The note that names the run under way, for people and for other runs that wait.
 *
 * What keeps two runs from harming each other is not this note but the database: every unit begins
 * with BEGIN IMMEDIATE and compares the head of the chain with what its run knows. The note lets
 * the second run wait in good order and say for whom. It therefore counts only while the process
 * that wrote it provably runs on this machine (number, start time, boot and namespace); a run that
 * was killed, or whose container is gone, never blocks the next one. A note of another machine or
 * container cannot be proved: it is named on stderr and replaced.
 *
 * The lock table is made here when it is missing: at that moment there is something to apply, and
 * without the table a first run could not be named.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/clock.h"
#include "core/base/log.h"

#include "sql.h"

#include <unistd.h>

/* A note is written again at most this often. */
#define ANNOUNCE_EVERY_US 1000000
/* For the reading programs that a COMMIT in rollback-journal mode must wait for. */
#define NOTE_COMMIT_MS 500

struct note {
    struct str run, who, doing, host, process;
    int64_t since_us, pid;
    bool is_there;
};

static bool read_note(struct arena *a, struct connection *c, struct note *out, struct fail *f)
{
    bool has_table;
    *out = (struct note){0};
    if (!sqlite_find_table(c, sqlite_own_table(a, c, "lock"), &has_table, f))
        return false;
    if (!has_table)
        return true;
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    if (!sqlite_query(c, QUERY_LOCK_READ, &s, f) || !sqlite_step(c, s, &out->is_there, f))
        return false;
    if (!out->is_there)
        return true;
    out->run = arena_str(a, sqlite_text(s, 0));
    out->who = arena_str(a, sqlite_text(s, 1));
    out->doing = arena_str(a, sqlite_text(s, 2));
    out->since_us = sqlite3_column_int64(s, 3);
    out->host = arena_str(a, sqlite_text(s, 4));
    out->pid = sqlite3_column_int64(s, 5);
    out->process = arena_str(a, sqlite_text(s, 6));
    return true;
}

/* Whether the run in the note keeps us out. */
static bool note_blocks(const struct note *n, const char *run)
{
    if (!n->is_there || str_equal(n->run, str_of(run)))
        return false;
    return sqlite_process_ask(n->pid, n->process) == PROCESS_RUNS;
}

static void name_unproved(const struct note *n, const char *run)
{
    if (n->is_there && !str_equal(n->run, str_of(run)) &&
        sqlite_process_ask(n->pid, n->process) == PROCESS_UNKNOWN)
        log_line(LOG_NOTE,
                 "%.*s is noted as under way, which cannot be proved from here; should it "
                 "still work, one of the two runs will stop before it changes anything",
                 STR_ARG(n->who));
}

static bool write_note(struct arena *a, struct connection *c, const char *run, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    const char *host = sqlite_host_name(a);
    const char *who = arena_printf(a, "%s, process %d on %s", c->who, (int)getpid(), host);
    if (!sqlite_run_script(c, sql_sqlite_lock_create, f) ||
        !sqlite_query(c, QUERY_LOCK_TAKE, &s, f))
        return false;
    sqlite_bind(s, 1, str_of(run));
    sqlite_bind(s, 2, str_of(who));
    sqlite3_bind_int64(s, 3, clock_wall_us());
    sqlite_bind(s, 4, str_of(host));
    sqlite3_bind_int64(s, 5, getpid());
    sqlite_bind(s, 6, str_of(sqlite_process_identity(a)));
    return sqlite_step(c, s, &is_row, f);
}

static void describe(struct arena *a, struct connection *c, const struct note *n, const char *run,
                     struct lock_holder *out)
{
    *out = (struct lock_holder){0};
    if (note_blocks(n, run)) {
        out->who = arena_cstr(a, n->who);
        out->doing = n->doing.len ? arena_cstr(a, n->doing) : NULL;
        out->since_us = n->since_us;
        return;
    }
    const char *owner = sqlite_lock_owner(a, c->path);
    out->who = owner ? owner : "another connection to the database";
}

bool sqlite_find_holder(struct arena *a, struct connection *c, struct lock_holder *out,
                        struct fail *f)
{
    struct note n;
    *out = (struct lock_holder){0};
    if (!read_note(a, c, &n, f))
        return false;
    if (!note_blocks(&n, c->run ? c->run : ""))
        out->who = sqlite_lock_owner(a, c->path);
    else
        describe(a, c, &n, "", out);
    return true;
}

/* Takes the note in a transaction of its own. */
static bool take(struct arena *a, struct connection *c, const char *run, struct note *n,
                 bool *out_is_ours, struct fail *f)
{
    if (!sqlite_run(c, QUERY_BEGIN_WRITE, f) || !read_note(a, c, n, f))
        return false;
    *out_is_ours = !note_blocks(n, run);
    if (!*out_is_ours)
        return true;
    name_unproved(n, run);
    if (!write_note(a, c, run, f))
        return false;
    sqlite_wait_limit(c, NOTE_COMMIT_MS);
    return sqlite_run(c, QUERY_COMMIT, f);
}

bool sqlite_try_lock(struct arena *a, struct connection *c, const char *run, bool *out_is_ours,
                     struct lock_holder *out_holder, struct fail *f)
{
    struct note n = {0};
    *out_is_ours = false;
    if (!sqlite_ensure_open(c, f))
        return false;
    sqlite_wait_off(c);
    /* Reading first: a waiter that polls must not write. */
    bool is_done = read_note(a, c, &n, f);
    if (is_done && !note_blocks(&n, run))
        is_done = take(a, c, run, &n, out_is_ours, f);
    if (!sqlite3_get_autocommit(c->db))
        sqlite_abandon(c);
    sqlite_wait_limit(c, c->lock_timeout_ms);
    if (!is_done && f->kind != FAIL_LOCK_TIMEOUT) {
        *out_is_ours = false;
        return fail_wrap(f, "while taking the run lock");
    }
    if (!is_done) {
        fail_clear(f);
        *out_is_ours = false;
    }
    if (*out_is_ours) {
        c->run = arena_cstr(c->arena, str_of(run));
        c->doing[0] = '\0';
        c->is_doing_due = false;
        c->doing_written_us = 0;
        return true;
    }
    describe(a, c, &n, run, out_holder);
    return true;
}

/* Runs a statement whose first value is our run. */
static bool run_for_note(struct connection *c, enum query_id id, const char *doing, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, id, &s, f))
        return false;
    sqlite_bind(s, 1, str_of(c->run));
    if (doing)
        sqlite_bind(s, 2, str_of(doing));
    return sqlite_step(c, s, &is_row, f);
}

void sqlite_unlock(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!c->run || !c->db)
        return;
    sqlite_forget_cancelled(c);
    if (!sqlite3_get_autocommit(c->db))
        sqlite_abandon(c);
    sqlite_wait_limit(c, NOTE_COMMIT_MS);
    /* A note that stays behind does no harm: its process will be gone. */
    if (!run_for_note(c, QUERY_LOCK_RELEASE, NULL, &ignored))
        log_line(LOG_DEBUG, "the note of this run could not be removed: %s", ignored.message);
    sqlite_wait_limit(c, c->lock_timeout_ms);
    c->run = NULL;
}

bool sqlite_write_doing(struct connection *c, struct fail *f)
{
    int64_t now_us = clock_monotonic_us();
    if (!c->run || !c->is_doing_due ||
        (c->doing_written_us && now_us - c->doing_written_us < ANNOUNCE_EVERY_US))
        return true;
    c->doing_written_us = now_us;
    c->is_doing_due = false;
    return run_for_note(c, QUERY_LOCK_ANNOUNCE, c->doing, f);
}

/* Outside a transaction the note costs a COMMIT of its own, so it is written at once only where
   none was written in the last second; else with the next unit that commits. */
void sqlite_announce(struct connection *c, const char *what)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    (void)snprintf(c->doing, sizeof(c->doing), "%s", what);
    c->is_doing_due = true;
    if (!c->db || !sqlite3_get_autocommit(c->db))
        return;
    sqlite_wait_limit(c, NOTE_COMMIT_MS);
    if (!sqlite_write_doing(c, &ignored))
        log_line(LOG_DEBUG, "the note of this run could not be written: %s", ignored.message);
    sqlite_wait_limit(c, c->lock_timeout_ms);
}
