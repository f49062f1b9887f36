/*
 * A unit in a transaction costs two round trips: its statements, then its entries with COMMIT. The
 * answer to the last COMMIT of a migration may come with those to the statements of the next one.
 */
#include "core/run/unit.h"

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/run/blockers.h"

bool unit_is_last(const struct execution *x)
{
    return x->unit == x->last_unit;
}

void unit_digest_add(struct digest_stream *d, const struct statement *s)
{
    char len[24];
    int written = snprintf(len, sizeof(len), "%zu:", s->text.len);
    digest_add(d, (struct str){.at = len, .len = (size_t)written});
    digest_add(d, s->text);
}

void unit_start(struct execution *x, uint32_t number, enum unit_kind kind)
{
    x->mark = arena_mark(x->arena);
    x->unit = number;
    x->kind = kind;
    x->unit_started_us = clock_monotonic_us();
    x->rows = 0;
    x->may_be_resent = false;
    x->batches = NULL;
    buf_clear(&x->sql);
    digest_abandon(x->digest);
    x->digest = x->planned->unit_count > 1 ? digest_start() : NULL;
    x->queued = NULL;
    x->queued_count = 0;
    table_wait_reset(x);
    unit_tell_begin(x);
}

static void end_record(struct execution *x)
{
    x->unit = 0;
    x->in_transaction = false;
    digest_abandon(x->digest);
    x->digest = NULL;
}

/* Committed: a failure further on has nothing to do with its statements. */
void unit_close(struct execution *x)
{
    unit_tell_end(x);
    x->units_before = x->unit;
    x->intent_is_open = false;
    buf_clear(&x->sql);
    x->row.installed_at = STR(""); /* lies in the arena; the next unit sets it anew */
    arena_reset(x->arena, x->mark);
    table_wait_reset(x);
    end_record(x);
}

/* Where a COMMIT failed: at the statement that the driver blames, else at the file's own COMMIT, else
   somewhere in the file. */
static void locate_commit(const struct execution *x, const struct statement *own_commit,
                          struct fail *f)
{
    if (f->file)
        return;
    struct str excerpt = f->excerpt ? str_of(f->excerpt) : STR("");
    if (f->line)
        fail_at(f, x->planned->migration->path, f->line, f->column, excerpt);
    else if (own_commit)
        script_locate(x->script, own_commit, 0, f);
    else
        fail_at(f, x->planned->migration->path, 0, 0, STR(""));
}

/* A call failed while the COMMIT of the migration before was under way: it is that one which failed. */
static bool blame(struct run_context *run, struct fail *f)
{
    locate_commit(run->ahead, NULL, f);
    blockers_name(run, f);
    run->failed_ahead = run->ahead;
    run->ahead = NULL;
    return false;
}

bool execution_await(struct run_context *run, struct fail *f)
{
    return !run->ahead || run->driver->await_commit(run->connection, f) || blame(run, f);
}

/* Its text was made, and not written by the author: of a form, or the way back from one. */
static bool is_made(const struct planned_migration *p, uint32_t unit)
{
    return p->units_left || planned_step_find(p, unit);
}

static struct unit_options options_of(const struct execution *x)
{
    const struct migration *m = x->planned->migration;
    struct enforcement_change enforcement = enforcement_of(&x->planned->enforcements, x->unit);
    return (struct unit_options){
        .is_own = x->kind == UNIT_OWN,
        .enforcement = enforcement.enforcement,
        .is_deferred = enforcement.is_deferred,
        .lock_timeout_ms = m->lock_timeout_ms,
        .statement_timeout_ms = m->statement_timeout_ms,
        .hides_notices = is_made(x->planned, x->unit),
        .expected_head_id = x->run->journal->next_id - 1,
    };
}

bool unit_open(struct execution *x, uint32_t number, enum unit_kind kind, struct fail *f)
{
    unit_start(x, number, kind);
    if (kind == UNIT_ALONE)
        return true;
    struct unit_options options = options_of(x);
    table_wait_begin(x, &options);
    x->in_transaction = true;
    return x->run->driver->begin(x->run->connection, &options, f) ||
           (x->run->ahead && blame(x->run, f));
}

bool unit_begin_again(struct execution *x, struct fail *f)
{
    struct unit_options options = options_of(x);
    table_wait_set(x, &options);
    return x->run->driver->begin(x->run->connection, &options, f);
}

bool unit_queue(struct execution *x, const struct statement *s, struct fail *f)
{
    bool follows = x->queued_count && x->queued + x->queued_count == s;
    if (x->queued_count && !follows && !unit_send(x, f))
        return false;
    if (!x->queued_count)
        x->queued = s;
    x->queued_count++;
    unit_record_statement(x, s);
    return true;
}

static bool next_copy_data(void *context, struct str *out, struct fail *f)
{
    struct execution *x = context;
    return script_copy_data(x->script, out, f);
}

static void locate_copy(const struct execution *x, const struct statement *s, struct fail *f)
{
    struct str line;
    (void)str_cut_line(s->text, &line);
    fail_at(f, x->planned->migration->path, s->line, 0, line);
}

/* The server quotes what it does not like: a password, where the statement holds one. */
static void hide_secret(struct fail *f)
{
    f->message = "a statement that holds a password failed; the server's words are not shown";
    f->detail = NULL;
    f->context = NULL;
}

/* For the log, in the arena: texts as they may be shown, which reading COPY data would take away. NULL
   where nothing is logged. */
static const struct str *shown_texts(struct execution *x, const struct statement *at, size_t count)
{
    if (!log_is_on(LOG_SQL))
        return NULL;
    struct str *texts = arena_array(x->arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        texts[i] = arena_str(x->arena, x->run->script->dialect->redact(x->arena, &at[i]));
    return texts;
}

bool unit_send(struct execution *x, struct fail *f)
{
    size_t count = x->queued_count;
    const struct statement *at = x->queued;
    x->queued_count = 0;
    if (!count)
        return true;
    struct arena_mark mark = arena_mark(x->arena);
    struct statement_result *results = arena_array(x->arena, struct statement_result, count);
    struct copy_source copy = {.next = next_copy_data, .context = x};
    bool is_copy = at[count - 1].is_copy_from_stdin;
    struct statement last = at[count - 1];
    if (is_copy) /* reading its data moves the window that its text lies in */
        last.text = arena_str(x->arena, last.text);
    const struct str *shown = shown_texts(x, at, count);
    int64_t started_us = clock_monotonic_us();
    size_t done = 0;
    size_t offset = SIZE_MAX;
    bool was_ahead = x->run->ahead != NULL;
    int64_t asked_us;
    bool is_done;
    do {
        asked_us = clock_monotonic_us();
        is_done = x->run->driver->execute(x->run->connection, at, count, is_copy ? &copy : NULL,
                                          results, &done, &offset, f);
    } while (!is_done && f->kind == FAIL_TABLES_HELD && table_wait_again(x, f));
    if (!is_done && x->run->ahead) {
        arena_reset(x->arena, mark);
        return blame(x->run, f);
    }
    if (was_ahead) /* the server began with this one when it was done with that one */
        x->started_us = x->unit_started_us = started_us = x->run->answered_us;
    if (is_done)
        table_wait_over(x, was_ahead && asked_us < started_us ? started_us : asked_us, results,
                        count);
    for (size_t i = 0; i < done; i++) {
        x->rows += results[i].rows > 0 ? results[i].rows : 0;
        started_us += results[i].duration_us;
        if (shown)
            log_sql(shown[i], results[i].duration_us, NULL);
    }
    if (shown && !is_done && done < count) {
        int64_t took_us = clock_monotonic_us() - started_us;
        log_sql(shown[done], took_us > 0 ? took_us : 0, "failed");
    }
    x->statements += (int64_t)done;
    if (!is_done && done < count && at[done].has_secret && f->kind != FAIL_TABLES_HELD)
        hide_secret(f);
    if (!is_done && done < count && !f->file) {
        if (f->kind == FAIL_TABLES_HELD && f->line)
            fail_at(f, x->planned->migration->path, f->line, 0, STR(""));
        else if (is_copy && done + 1 == count)
            locate_copy(x, &last, f);
        else
            script_locate(x->script, &at[done], offset == SIZE_MAX ? 0 : offset, f);
    }
    arena_reset(x->arena, mark);
    return is_done;
}

/* Whether something of it is left to wait when all that the run does of it is done. */
static bool is_left(const struct execution *x)
{
    return x->run->goal != GOAL_ROLLBACK && x->last_unit < x->planned->unit_count;
}

static const char *end_state(const struct execution *x)
{
    switch (x->run->goal) {
    case GOAL_APPLY:
        return is_left(x) ? HISTORY_EXPANDED : HISTORY_APPLIED;
    case GOAL_CONTRACT:
        return is_left(x) ? HISTORY_SWITCHED : HISTORY_APPLIED;
    case GOAL_ROLLBACK:
        return HISTORY_ROLLED_BACK;
    }
    BUG("a goal that is not in the list");
}

static const char *state_under_way(const struct execution *x)
{
    const struct planned_migration *p = x->planned;
    switch (x->run->goal) {
    case GOAL_APPLY:
        return HISTORY_INCOMPLETE;
    case GOAL_CONTRACT:
        return p->again_unit && x->units_at_start + 1 >= p->again_unit ? HISTORY_SWITCHED
                                                                       : HISTORY_EXPANDED;
    case GOAL_ROLLBACK:
        return HISTORY_ROLLING_BACK;
    }
    BUG("a goal that is not in the list");
}

/* The row as it stands when this unit is done. While it is expanded or switched, installed_at tells since
   when. */
void unit_advance_row(struct execution *x, int64_t units_done, bool is_complete)
{
    const struct run_context *run = x->run;
    bool is_soaking = run->goal == GOAL_CONTRACT && !is_complete && x->earlier_row;
    x->is_complete = is_complete;
    x->row.state = str_of(is_complete ? end_state(x) : state_under_way(x));
    x->row.units_done =
        run->goal == GOAL_ROLLBACK ? x->planned->units_left[units_done] : units_done;
    x->row.statements = x->statements;
    x->row.installed_at =
        is_soaking ? x->earlier_row->installed_at : journal_now(x->arena, run->journal);
    x->row.duration_us = clock_monotonic_us() - x->started_us;
}

/* The kind of the event that says that the open unit is done. */
static const char *done_kind(const struct execution *x)
{
    bool is_last = unit_is_last(x);
    switch (x->run->goal) {
    case GOAL_APPLY:
        if (is_last)
            return is_left(x) ? EVENT_EXPANDED : EVENT_APPLIED;
        break;
    case GOAL_CONTRACT:
        if (is_last)
            return is_left(x) ? EVENT_SWITCHED : EVENT_CONTRACTED;
        break;
    case GOAL_ROLLBACK:
        return is_last ? EVENT_ROLLED_BACK : EVENT_STEP_UNDONE;
    }
    return EVENT_STEP_DONE;
}

int64_t unit_number(const struct execution *x)
{
    if (x->run->goal == GOAL_ROLLBACK && x->unit)
        return x->planned->units_left[x->unit - 1];
    return x->unit;
}

struct event unit_event(struct execution *x, const char *kind)
{
    struct event e = journal_event(x->arena, x->run->journal, kind, x->label);
    e.unit = x->planned->unit_count > 1 || x->run->goal == GOAL_ROLLBACK ? unit_number(x) : 0;
    e.sql = buf_done(x->arena, &x->sql);
    e.duration_us = clock_monotonic_us() - x->unit_started_us;
    e.rows = x->rows;
    e.lock_wait_us = table_wait_us(x);
    return e;
}

/* Proves the row as it leaves it; with the digest of the unit, where another run may go on behind it. */
struct event unit_done_event(struct execution *x)
{
    const char *kind = done_kind(x);
    struct event e = unit_event(x, kind);
    SCOPED(json) struct json *detail = json_make_object();
    journal_row_claim(detail, &x->row);
    if (x->wait.locked_at_us)
        json_set_i64(detail, "locked_us", clock_monotonic_us() - x->wait.locked_at_us);
    bool is_whole = x->run->goal != GOAL_APPLY && unit_is_last(x);
    if (is_whole && x->run->reason)
        json_set_cstr(detail, "reason", x->run->reason);
    if (is_whole && x->run->is_early)
        json_set_bool(detail, "early", true);
    bool is_followed = strcmp(kind, EVENT_STEP_DONE) == 0 || strcmp(kind, EVENT_EXPANDED) == 0 ||
                       strcmp(kind, EVENT_SWITCHED) == 0;
    if (is_followed && x->digest) {
        struct digest d = digest_finish(x->digest);
        x->digest = NULL;
        json_set_str(detail, "unit", digest_str(&d));
    }
    if (x->planned->is_down)
        json_set_str(detail, "down", digest_str(&x->planned->checksums.raw));
    if (x->batches) {
        json_set_i64(detail, "batches", x->batches->batches);
        json_set_i64(detail, "paused_us", x->batches->paused_us);
    }
    e.detail = json_line(x->arena, detail);
    return e;
}

/* The entries of the open unit, linked; they live in x. */
static void compose_entries(struct execution *x)
{
    unit_advance_row(x, x->unit, unit_is_last(x));
    x->event = unit_done_event(x);
    journal_link(x->arena, x->run->journal, &x->event, 1);
    x->entries = (struct journal_entries){
        .insert_row = x->row_is_written ? NULL : &x->row,
        .update_row = x->row_is_written ? &x->row : NULL,
        .events = &x->event,
        .event_count = 1,
    };
}

static void move_journal(struct execution *x)
{
    journal_committed(x->run->journal, &x->event, 1);
    if (!x->row_is_written)
        x->run->journal->next_rank++;
}

static void unit_committed(struct execution *x)
{
    x->row_is_written = true;
    x->run->target_changed = true;
    unit_close(x);
}

bool unit_commit(struct execution *x, const struct statement *own_commit, struct fail *f)
{
    if (!unit_send(x, f))
        return false;
    if (own_commit)
        unit_record_statement(x, own_commit);
    compose_entries(x);
    if (!execution_await(x->run, f))
        return false;
    if (!x->run->driver->commit(x->run->connection, &x->entries, own_commit, f)) {
        locate_commit(x, own_commit, f);
        return false;
    }
    move_journal(x);
    unit_committed(x);
    return true;
}

/* The answer to the COMMIT that went ahead. */
static void commit_answered(void *context)
{
    struct execution *x = context;
    x->run->ahead = NULL;
    x->run->answered_us = clock_monotonic_us();
    unit_committed(x);
    execution_done(x);
}

bool unit_commit_last(struct execution *x, struct fail *f)
{
    struct run_context *run = x->run;
    if (!run->may_go_ahead || x->kind != UNIT_OURS || !unit_is_last(x) ||
        x->planned->has_session_effect)
        return unit_commit(x, NULL, f);
    if (!unit_send(x, f) || !execution_await(run, f))
        return false;
    compose_entries(x);
    x->journal_before = *run->journal;
    move_journal(x);
    x->is_ahead = true;
    run->ahead = x;
    if (run->driver->commit_ahead(run->connection, &x->entries, commit_answered, x, f))
        return true;
    run->ahead = NULL;
    x->is_ahead = false;
    *run->journal = x->journal_before;
    return false;
}

void unit_tell_whose_doing(struct execution *x, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    const struct journal *j = x->run->journal;
    struct history now;
    if (f->kind != FAIL_HISTORY_MOVED ||
        !x->run->driver->read_history(a, x->run->connection, &now, &ignored) ||
        now.head_id + 1 != j->next_id || !str_equal(now.head_digest, digest_str(&j->head)))
        return;
    fail_clear(f);
    fail_set(f, EXIT_FAILED, "%.*s removes or changes entries of migrate's own history",
             STR_ARG(x->planned->migration->path));
    fail_detail(f, "Entries were gone when its own was to follow them, and are there again behind "
                   "the rollback.");
    fail_hint(f, "Take out what does it: a function that it calls, or EXECUTE with a text that is "
                 "put together. No migration may write there.");
}

bool unit_abandon(struct execution *x, struct fail *f)
{
    x->queued_count = 0;
    if (!execution_await(x->run, f))
        return false;
    if (x->in_transaction && !x->run->driver->rollback(x->run->connection, f))
        return false; /* still open, as far as anybody knows */
    end_record(x);
    return true;
}

bool unit_complete_row(struct execution *x, struct fail *f)
{
    x->unit = x->last_unit;
    x->unit_started_us = clock_monotonic_us();
    buf_clear(&x->sql);
    unit_advance_row(x, x->unit, true);
    struct event e = unit_done_event(x);
    bool is_new = !x->row_is_written;
    if (!execution_append(x->run, is_new ? &x->row : NULL, is_new ? NULL : &x->row, &e, 1, false,
                          f))
        return false;
    x->row_is_written = true;
    unit_close(x);
    return true;
}
