/*
 * Units in transactions. A unit takes the write lock when it begins, and compares the head of the
 * chain with what its run knows: that makes the database itself the run lock, whatever else is
 * said.
 */
#include "drivers/sqlite/backfill.h"

#include "core/base/log.h"

static void end_unit(struct connection *c)
{
    if (c->puts_foreign_keys_back && c->db && sqlite3_get_autocommit(c->db))
        sqlite_foreign_keys_set(c, c->foreign_keys_before);
    c->puts_foreign_keys_back = false;
    c->in_unit = false;
    c->awaits_own_begin = false;
    c->watches_writes = false;
    c->expected_head_id = -1;
    c->guard = (struct guard){0};
    c->first = (struct place){0};
    sqlite_statement_timer(c, 0);
    c->statement_timeout_ms = 0;
    arena_reset(c->scratch, (struct arena_mark){0});
}

void sqlite_abandon(struct connection *c)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!c->db || sqlite3_get_autocommit(c->db))
        return;
    sqlite_forget_cancelled(c);
    sqlite_foreign_keys_forget(c);
    if (!sqlite_run(c, QUERY_ROLLBACK, &ignored))
        log_line(LOG_DEBUG, "rollback: %s", ignored.message);
}

static bool check_head(struct connection *c, struct fail *f)
{
    if (!sqlite_read_head(c, f))
        return false;
    return c->expected_head_id < 0 || c->head_id == c->expected_head_id ? true
                                                                        : sqlite_fail_moved(f);
}

bool sqlite_claim(struct connection *c, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    bool has_table;
    c->awaits_own_begin = false;
    if (!sqlite_find_table(c, sqlite_own_table(a, c, "event"), &has_table, f) ||
        (has_table && !sqlite_run(c, QUERY_CLAIM, f)))
        return false;
    return check_head(c, f);
}

static void set_enforcement(struct connection *c, enum enforcement enforcement)
{
    c->foreign_keys_before = sqlite_foreign_keys_get(c);
    c->puts_foreign_keys_back = enforcement != ENFORCEMENT_AS_OPENED;
    bool is_on = enforcement == ENFORCEMENT_AS_OPENED || enforcement == ENFORCEMENT_ON_LATER
                     ? c->foreign_keys_before
                     : enforcement == ENFORCEMENT_ON;
    sqlite_foreign_keys_set(c, is_on);
    c->watches_writes = !is_on && enforcement != ENFORCEMENT_AS_OPENED;
}

bool sqlite_begin(struct connection *c, const struct unit_options *options, struct fail *f)
{
    if (!sqlite_ensure_open(c, f))
        return false;
    if (!sqlite3_get_autocommit(c->db))
        BUG("a unit begins within a transaction");
    if (!sqlite_check_cancelled(c, f))
        return false;
    end_unit(c);
    c->in_unit = true;
    c->expected_head_id = options->expected_head_id;
    c->statement_timeout_ms = options->statement_timeout_ms;
    set_enforcement(c, options->enforcement);
    sqlite_wait_limit(c, options->lock_timeout_ms ? options->lock_timeout_ms : c->lock_timeout_ms);
    c->awaits_own_begin = options->is_own;
    if (!sqlite_journal_keep(c, f) || (options->is_deferred && !sqlite_run(c, QUERY_DEFER, f))) {
        end_unit(c);
        return false;
    }
    if (options->is_own || (sqlite_run(c, QUERY_BEGIN_WRITE, f) && check_head(c, f)))
        return true;
    sqlite_abandon(c);
    end_unit(c);
    return false;
}

static bool run_own_commit(struct connection *c, const struct statement *own_commit, struct fail *f)
{
    SCOPED(sqlite_statement) sqlite3_stmt *s = NULL;
    size_t offset;
    bool is_row = true;
    if (!sqlite_prepare_text(c, own_commit->text, &s, &offset, f))
        return false;
    while (s && is_row) {
        if (!sqlite_step(c, s, &is_row, f))
            return false;
    }
    return true;
}

/* COMMIT failed for a reason that leaves it open whether it happened (an I/O error): what the file
   says when it is opened again is what happened, since SQLite then completes or undoes the
   transaction from its journal. The event is in the same transaction, so it decides. */
static bool settle_commit(struct connection *c, const struct journal_entries *entries,
                          struct fail *f)
{
    SCOPED(fail) struct fail second = FAIL_NONE;
    const struct event *last =
        entries->event_count ? &entries->events[entries->event_count - 1] : NULL;
    const struct backfill_point *point = last ? NULL : entries->point;
    bool is_committed = false;
    bool is_known = (last || point) && sqlite_connection_reopen(c, &second) &&
                    (last ? sqlite_read_head(c, &second)
                          : sqlite_point_is_written(c, point, &is_committed, &second));
    if (!is_known) {
        f->code = EXIT_INCOMPLETE;
        fail_detail(f, "Whether the transaction was committed could not be found out: %s.",
                    last || point ? second.message : "it holds no event");
        fail_hint(f, "`migrate status` says it when the database can be opened again.");
        return fail_kind_set(f, FAIL_COMMIT_UNKNOWN);
    }
    if (last)
        is_committed =
            c->head_id == last->id && str_equal(digest_str(&c->head_digest), last->digest);
    if (is_committed) {
        log_line(LOG_WARN, "COMMIT reported an error, but the transaction is in the database: %s",
                 f->message);
        fail_clear(f);
    }
    return is_committed;
}

/* The entries are in the database: their last event is its head. */
static void move_head(struct connection *c, const struct journal_entries *entries)
{
    if (!entries->event_count)
        return;
    const struct event *last = &entries->events[entries->event_count - 1];
    c->head_id = last->id;
    c->head_is_known = digest_parse(last->digest, &c->head_digest);
}

static bool send_commit(struct connection *c, const struct journal_entries *entries,
                        const struct statement *own_commit, struct fail *f)
{
    bool is_done = own_commit ? run_own_commit(c, own_commit, f) : sqlite_run(c, QUERY_COMMIT, f);
    if (is_done && !sqlite3_get_autocommit(c->db)) {
        fail_set(f, EXIT_FAILED, "the transaction is still open behind its COMMIT");
        return fail_hint(f, "A file that opens savepoints must release them.");
    }
    if (is_done) {
        move_head(c, entries);
        return true;
    }
    int primary = sqlite3_errcode(c->db) & 0xff;
    if (primary == SQLITE_CONSTRAINT && !sqlite3_get_autocommit(c->db))
        sqlite_explain_violation(c, f);
    if (primary == SQLITE_IOERR || primary == SQLITE_CORRUPT)
        return settle_commit(c, entries, f);
    return false;
}

bool sqlite_commit(struct connection *c, const struct journal_entries *entries,
                   const struct statement *own_commit, struct fail *f)
{
    if (!sqlite_ensure_open(c, f))
        return false;
    if (sqlite3_get_autocommit(c->db)) {
        fail_set(f, EXIT_FAILED, "the transaction was ended by one of its own statements");
        return fail_hint(f, "Nothing that was done before can be undone or recorded any more: look "
                            "at the database, then use `migrate resolve`.");
    }
    sqlite_statement_timer(c, 0);
    bool is_done = sqlite_guard_commit(c, f) && sqlite_write_entries(c, entries, f) &&
                   sqlite_write_doing(c, f) && send_commit(c, entries, own_commit, f);
    if (is_done)
        end_unit(c);
    return is_done;
}

bool sqlite_rollback(struct connection *c, struct fail *f)
{
    sqlite_forget_cancelled(c);
    sqlite_foreign_keys_forget(c);
    bool is_done = sqlite_ensure_open(c, f);
    /* SQLite ends a transaction by itself on some errors: full disk, interrupt, RAISE(ROLLBACK). */
    if (is_done && !sqlite3_get_autocommit(c->db) && !sqlite_run(c, QUERY_ROLLBACK, f)) {
        fail_clear(f);
        is_done = sqlite_connection_reopen(c, f);
    }
    end_unit(c);
    return is_done;
}

bool sqlite_append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                   struct fail *f)
{
    (void)is_durable; /* every COMMIT is: see sqlite_flush() */
    if (!sqlite_ensure_open(c, f))
        return false;
    if (!sqlite3_get_autocommit(c->db))
        BUG("entries of their own within a transaction");
    sqlite_forget_cancelled(c);
    sqlite_wait_limit(c, c->lock_timeout_ms);
    bool is_done = sqlite_run(c, QUERY_BEGIN_WRITE, f) && sqlite_read_head(c, f) &&
                   sqlite_write_entries(c, entries, f) && sqlite_write_doing(c, f) &&
                   send_commit(c, entries, NULL, f);
    sqlite_abandon(c);
    arena_reset(c->scratch, (struct arena_mark){0});
    return is_done ? true : fail_wrap(f, "while writing the history");
}
