/*
 * Every function that would talk to a server passes the gate first: it counts the call and says what
 * strikes it. "Before" means that the server does nothing; "after" that it does and nobody hears of it.
 */
#include "core/base/vec.h"
#include "drivers/testkit/fake_parts.h"

static const char *const fault_names[] = {
    [FAKE_NO_FAULT] = "no fault",         [FAKE_REFUSED] = "refused",
    [FAKE_LOCK_TIMEOUT] = "lock timeout", [FAKE_CANCELLED] = "cancelled",
    [FAKE_MOVED] = "history moved",       [FAKE_CUT_BEFORE] = "cut before",
    [FAKE_CUT_AFTER] = "cut after",       [FAKE_KILL_BEFORE] = "killed before",
    [FAKE_KILL_AFTER] = "killed after",
};

const char *fake_fault_name(enum fake_fault fault)
{
    return fault_names[fault];
}

struct fake_database *fake_database_make(struct arena *a)
{
    struct fake_database *db = arena_new(a, struct fake_database);
    db->arena = a;
    return db;
}

struct connection *fake_connect(struct arena *a, struct fake_database *db, enum fake_fault fault,
                                int64_t fault_at)
{
    struct connection *c = arena_new(a, struct connection);
    c->arena = a;
    c->db = db;
    c->fault = fault;
    c->fault_at = fault_at;
    return c;
}

int64_t fake_calls(const struct connection *c)
{
    return c->calls;
}

bool fake_was_struck(const struct connection *c)
{
    return c->was_struck;
}

size_t fake_count(const struct fake_database *db, struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < db->effects.count; i++)
        count += str_equal(db->effects.at[i].text, text);
    return count;
}

/* ---- faults ---- */

static bool lose(struct connection *c, struct fail *f)
{
    c->is_lost = true;
    c->in_unit = false;
    c->is_aborted = false;
    c->pending.count = 0;
    c->has_forgotten |= c->session.len > 0;
    buf_clear(&c->session);
    fail_set(f, EXIT_BUSY, "the connection was lost");
    fail_hint(f, "Run again.");
    return fail_kind_set(f, FAIL_CONNECTION);
}

bool fake_refuse(struct connection *c, enum exit_code code, const char *message,
                 const char *sqlstate, enum fail_kind kind, struct fail *f)
{
    c->is_aborted = c->in_unit;
    fail_set(f, code, "%s", message);
    fail_hint(f, "Mend it.");
    memcpy(f->sqlstate, sqlstate, strlen(sqlstate) + 1);
    return fail_kind_set(f, kind);
}

bool fake_refuse_moved(struct connection *c, struct fail *f)
{
    return fake_refuse(c, EXIT_INTEGRITY, "the history was written by somebody else", "",
                       FAIL_HISTORY_MOVED, f);
}

bool fake_pass(struct connection *c, bool *out_then_lost, struct fail *f)
{
    *out_then_lost = false;
    c->calls++;
    if (c->is_dead || c->is_lost)
        return lose(c, f);
    if (c->calls != c->fault_at)
        return true;
    c->was_struck = true;
    switch (c->fault) {
    case FAKE_REFUSED:
        return fake_refuse(c, EXIT_FAILED, "the server said no", "XX000", FAIL_SERVER, f);
    case FAKE_LOCK_TIMEOUT:
        return fake_refuse(c, EXIT_FAILED, "lock timeout", "55P03", FAIL_LOCK_TIMEOUT, f);
    case FAKE_CANCELLED:
        return fake_refuse(c, EXIT_FAILED, "cancelled", "57014", FAIL_CANCELLED, f);
    case FAKE_MOVED:
        return fake_refuse_moved(c, f);
    case FAKE_KILL_BEFORE:
        c->is_dead = true;
        return lose(c, f);
    case FAKE_CUT_BEFORE:
        return lose(c, f);
    case FAKE_KILL_AFTER:
        c->is_dead = true;
        *out_then_lost = true;
        return true;
    case FAKE_CUT_AFTER:
        *out_then_lost = true;
        return true;
    case FAKE_NO_FAULT:
    case FAKE_FAULT_MAX:
        break;
    }
    BUG("a fault of no kind");
}

bool fake_pass_connected(struct connection *c, bool *out_then_lost, struct fail *f)
{
    c->is_lost = c->is_dead;
    return fake_pass(c, out_then_lost, f);
}

bool fake_finish(struct connection *c, bool then_lost, struct fail *f)
{
    return !then_lost || lose(c, f);
}

/* ---- the statements ---- */

static bool fake_begin(struct connection *c, const struct unit_options *options, struct fail *f)
{
    (void)options;
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    assert(!c->in_unit);
    c->in_unit = true;
    c->session_before = c->session.len;
    return fake_finish(c, then_lost, f);
}

static void add_effect(struct connection *c, struct str text, int64_t copied_bytes)
{
    struct fake_database *db = c->db;
    struct fake_effect effect = {arena_str(db->arena, text),
                                 arena_str(db->arena, buf_str(&c->session)), copied_bytes};
    if (c->in_unit)
        vec_push(c->arena, &c->pending, effect);
    else
        vec_push(db->arena, &db->effects, effect);
}

static struct str leftover_of(struct arena *a, struct str text)
{
    return str_of(arena_printf(a, "leftover of %.*s", STR_ARG(text)));
}

static bool run_statement(struct connection *c, const struct statement *s, int64_t copied_bytes,
                          struct fail *f)
{
    c->db->executions++;
    if (c->has_forgotten)
        return lose(c, f);
    if (c->is_aborted)
        return fake_refuse(c, EXIT_FAILED, "the transaction is aborted", "25P02", FAIL_SERVER, f);
    if (s->role == ROLE_ALONE && c->in_unit)
        return fake_refuse(c, EXIT_FAILED, "not inside a transaction", "25001", FAIL_SERVER, f);
    if (fake_count(c->db, leftover_of(c->arena, s->text)))
        return fake_refuse(c, EXIT_FAILED, "it exists already", "42P07", FAIL_SERVER, f);
    if (s->role == ROLE_BEGIN)
        return true;
    if (s->session == SESSION_SETS)
        buf_printf(&c->session, "%s%.*s", c->session.len ? "; " : "", STR_ARG(s->text));
    else
        add_effect(c, s->text, copied_bytes);
    return true;
}

static bool read_copy(const struct copy_source *copy, int64_t *out_bytes, struct fail *f)
{
    struct str piece = {0};
    *out_bytes = 0;
    do {
        if (!copy->next(copy->context, &piece, f))
            return false;
        *out_bytes += (int64_t)piece.len;
    } while (piece.len);
    return true;
}

static bool execute_one(struct connection *c, const struct statement *s, int64_t copied_bytes,
                        struct fail *f)
{
    bool then_lost;
    bool is_refused = c->db->refused_text.len && str_equal(c->db->refused_text, s->text);
    bool is_passed = fake_pass(c, &then_lost, f);
    if (is_passed && c->db->is_locked)
        is_passed = fake_refuse(c, EXIT_FAILED, "lock timeout", "55P03", FAIL_LOCK_TIMEOUT, f);
    if (is_passed && is_refused)
        is_passed =
            fake_refuse(c, EXIT_FAILED, "the server never likes this", "42601", FAIL_SERVER, f);
    if (!is_passed) {
        bool is_left = f->kind == FAIL_SERVER || f->kind == FAIL_CANCELLED;
        if (is_left && s->probe && c->db->leaves_leftovers)
            add_effect(c, leftover_of(c->arena, s->text), 0);
        return false;
    }
    return run_statement(c, s, copied_bytes, f) && fake_finish(c, then_lost, f);
}

static bool fake_execute(struct connection *c, const struct statement *at, size_t count,
                         const struct copy_source *copy, struct statement_result *results,
                         size_t *out_done, size_t *out_offset, struct fail *f)
{
    *out_offset = SIZE_MAX;
    for (*out_done = 0; *out_done < count; ++*out_done) {
        const struct statement *s = &at[*out_done];
        struct statement sent = *s;
        sent.text = arena_str(c->arena, s->text); /* reading the data moves the window it lies in */
        int64_t copied_bytes = 0;
        bool is_copy = copy && *out_done + 1 == count;
        assert(!s->is_copy_from_stdin || is_copy);
        if ((is_copy && !read_copy(copy, &copied_bytes, f)) ||
            !execute_one(c, &sent, copied_bytes, f))
            return false;
        results[*out_done] = (struct statement_result){.rows = 1};
    }
    return true;
}

static bool fake_commit(struct connection *c, const struct journal_entries *entries,
                        const struct statement *own_commit, struct fail *f)
{
    (void)own_commit;
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    assert(c->in_unit);
    if (c->is_aborted)
        return fake_refuse(c, EXIT_FAILED, "the transaction is aborted", "25P02", FAIL_SERVER, f);
    for (size_t i = 0; i < c->pending.count; i++) {
        if (!c->db->refused_at_commit.len ||
            !str_equal(c->pending.at[i].text, c->db->refused_at_commit))
            continue;
        f->line = c->db->refused_line;
        return fake_refuse(c, EXIT_FAILED, "a deferred constraint says no", "23503", FAIL_SERVER,
                           f);
    }
    if (!fake_check_entries(c, entries, f))
        return false;
    for (size_t i = 0; i < c->pending.count; i++)
        vec_push(c->db->arena, &c->db->effects, c->pending.at[i]);
    c->pending.count = 0;
    c->in_unit = false;
    fake_store_entries(c->db, entries);
    if (!then_lost)
        return true;
    (void)lose(c, f);
    if (c->is_dead)
        return false;
    c->is_lost = false; /* the driver connects again and learns that it was committed */
    fail_clear(f);
    return true;
}

static void buf_cut(struct buf *b, size_t len)
{
    SCOPED(buf) struct buf kept = {0};
    buf_add(&kept, b->at, len < b->len ? len : b->len);
    buf_clear(b);
    buf_add_str(b, buf_str(&kept));
}

static bool fake_rollback(struct connection *c, struct fail *f)
{
    bool then_lost;
    if (!fake_pass_connected(c, &then_lost, f))
        return false;
    if (c->in_unit) /* what SET changed in it is undone */
        buf_cut(&c->session, c->session_before);
    c->in_unit = false;
    c->is_aborted = false;
    c->pending.count = 0;
    return fake_finish(c, then_lost, f);
}

static bool fake_reset_session(struct connection *c, struct fail *f)
{
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    buf_clear(&c->session);
    c->has_forgotten = false;
    return fake_finish(c, then_lost, f);
}

/* ---- statements outside transactions ---- */

static bool fake_check_after(struct connection *c, const struct probe *p, struct fail *f)
{
    (void)p;
    bool then_lost;
    return fake_pass(c, &then_lost, f) && fake_finish(c, then_lost, f);
}

static void drop_effect(struct fake_database *db, struct str text)
{
    size_t kept = 0;
    for (size_t i = 0; i < db->effects.count; i++) {
        if (!str_equal(db->effects.at[i].text, text))
            db->effects.at[kept++] = db->effects.at[i];
    }
    db->effects.count = kept;
}

static bool fake_probe(struct connection *c, const struct probe *p, const char *before,
                       enum probe_answer *out, struct fail *f)
{
    (void)before;
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    *out = PROBE_NOT_DONE;
    if (c->db->cannot_probe || p->kind == PROBE_NONE)
        *out = PROBE_UNKNOWN;
    else if (p->kind != PROBE_RERUN && fake_count(c->db, str_of(p->name)))
        *out = PROBE_IS_DONE;
    else
        drop_effect(c->db, leftover_of(c->arena, str_of(p->name)));
    return fake_finish(c, then_lost, f);
}

static bool fake_probe_before(struct arena *a, struct connection *c, const struct probe *p,
                              const char **out, struct fail *f)
{
    bool then_lost;
    if (!fake_pass(c, &then_lost, f))
        return false;
    *out = p->detail ? arena_printf(a, "before %s", p->name) : NULL;
    return fake_finish(c, then_lost, f);
}

/* ---- the rest ---- */

static bool fake_identity(struct arena *a, struct connection *c, struct server_identity *out,
                          struct fail *f)
{
    (void)a;
    (void)c;
    (void)f;
    *out = (struct server_identity){.safe_url = "fake:",
                                    .database = "fake",
                                    .role = "fake",
                                    .version_number = 1,
                                    .version_text = "1"};
    return true;
}

static bool fake_check_session(struct connection *c, struct fail *f)
{
    bool then_lost;
    return fake_pass(c, &then_lost, f) && fake_finish(c, then_lost, f);
}

static void fake_announce(struct connection *c, const char *what)
{
    c->announced = arena_cstr(c->arena, str_of(what));
}

static bool fake_read_schema(struct arena *a, struct connection *c, struct str **out_texts,
                             size_t *out_count, struct fail *f)
{
    (void)c;
    (void)f;
    *out_texts = arena_new(a, struct str);
    *out_count = 0;
    return true;
}

static void fake_close(struct connection *c)
{
    buf_release(&c->session);
}

const struct driver *fake_driver(void)
{
    static const struct driver driver = {
        .engine = ENGINE_SQLITE,
        .close = fake_close,
        .read_history = fake_read_history,
        .identity = fake_identity,
        .read_events = fake_read_events,
        .check_session = fake_check_session,
        .prepare_history = fake_check_session,
        .announce = fake_announce,
        .begin = fake_begin,
        .execute = fake_execute,
        .commit = fake_commit,
        .rollback = fake_rollback,
        .append = fake_append,
        .reset_session = fake_reset_session,
        .check_after = fake_check_after,
        .probe = fake_probe,
        .probe_before = fake_probe_before,
        .flush = fake_check_session,
        .read_schema = fake_read_schema,
    };
    return &driver;
}
