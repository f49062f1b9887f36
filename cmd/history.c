/*
 * migrate history: the audit trail as a list, every event with --events, and --verify, which proves
 * chain, rows and files. Reads only.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/terminal.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "core/run/verify.h"
#include "drivers/source/directory.h"

/* ---- rows ---- */

/* 1 is 0001 where its layout says so; a repeatable has its script's name. */
static bool is_wanted(const struct options *o, const struct history_row *row)
{
    enum layout layout = LAYOUT_AUTO;
    if (!o->version || str_equal(history_row_label(row), str_of(o->version)))
        return true;
    return row->version.len && layout_of_name(row->layout, &layout) &&
           version_compare(layout_version_order(layout), row->version, str_of(o->version)) == 0;
}

/* As the events call it: as its row does. Empty where no row says how it is written: then every event is
   looked at (a migration may have failed only). */
static struct str wanted_label(const struct options *o, const struct history *h)
{
    for (size_t i = 0; o->version && i < h->count; i++) {
        if (is_wanted(o, &h->at[i]))
            return history_row_label(&h->at[i]);
    }
    return (struct str){0};
}

static size_t first_row(const struct options *o, const struct history *h)
{
    size_t wanted = 0;
    size_t i = h->count;
    while (i > 0 && (!o->limit || (int64_t)wanted < o->limit))
        wanted += is_wanted(o, &h->at[--i]);
    return i;
}

static void print_rows(struct arena *a, const struct options *o, const struct history *h)
{
    static const char *const headings[] = {
        "RANK", "APPLIED AT (UTC)", "VERSION", "DESCRIPTION", "STATE", "BY", "DURATION", "RUN"};
    struct table *t = table_make(a, headings, ARRAY_LEN(headings));
    for (size_t i = first_row(o, h); i < h->count; i++) {
        const struct history_row *row = &h->at[i];
        if (!is_wanted(o, row))
            continue;
        bool is_incomplete = !str_equal(row->state, STR("applied"));
        const char *cells[] = {
            arena_printf(a, "%lld", (long long)row->rank),
            terminal_time(a, row->installed_at),
            arena_cstr(a, history_row_label(row)),
            arena_cstr(a, row->description),
            arena_cstr(a, row->state),
            arena_cstr(a, row->installed_by),
            clock_duration_text(a, row->duration_us),
            arena_printf(a, "%.8s", arena_cstr(a, row->run)),
        };
        table_add(t, cells, 4, is_incomplete ? INK_WARN : INK_PLAIN);
    }
    if (table_rows(t))
        table_print(t);
    else
        puts(h->exists ? "no entries" : "no history: migrate has never applied anything here");
}

static struct json *row_json(const struct history_row *r)
{
    struct json *j = json_make_object();
    json_set_i64(j, "rank", r->rank);
    json_set_str(j, "version", r->version);
    json_set_str(j, "description", r->description);
    json_set_str(j, "kind", r->kind);
    json_set_str(j, "layout", r->layout);
    json_set_str(j, "script", r->script);
    json_set_str(j, "state", r->state);
    json_set_i64(j, "units_done", r->units_done);
    json_set_i64(j, "statements", r->statements);
    json_set_str(j, "digest_raw", r->digest_raw);
    json_set_str(j, "digest_normalized", r->digest_normalized);
    json_set_str(j, "digest_tree", r->digest_tree);
    json_set_str(j, "installed_by", r->installed_by);
    json_set_str(j, "installed_on", r->installed_at);
    json_set_i64(j, "duration_us", r->duration_us);
    json_set_str(j, "run", r->run);
    return j;
}

/* ---- events ---- */

struct event_view {
    struct arena *arena;
    const struct options *options;
    struct str label; /* of the wanted version, "" where no row has it */
    enum output_format format;
    struct json *list;
    int64_t from_id;
};

static struct json *event_json(const struct event *e, bool with_sql)
{
    struct json *j = json_make_object();
    json_set_i64(j, "id", e->id);
    json_set_str(j, "run", e->run);
    json_set_str(j, "at", e->at);
    json_set_str(j, "kind", e->kind);
    json_set_str(j, "version", e->version);
    json_set_i64(j, "unit", e->unit);
    json_set_str(j, "actor", e->actor);
    json_set_str(j, "db_role", e->db_role);
    json_set_str(j, "host", e->host);
    json_set_str(j, "git_commit", e->git_commit);
    json_set_str(j, "git_author", e->git_author);
    json_set_str(j, "plan_digest", e->plan_digest);
    if (with_sql)
        json_set_str(j, "sql", e->sql);
    json_set_i64(j, "duration_us", e->duration_us);
    json_set_i64(j, "lock_wait_us", e->lock_wait_us);
    json_set_i64(j, "rows", e->rows);
    json_set_str(j, "sqlstate", e->sqlstate);
    json_set_str(j, "detail", e->detail);
    json_set_str(j, "previous", e->previous);
    json_set_str(j, "digest", e->digest);
    return j;
}

static void print_sql(struct str sql)
{
    while (sql.len) {
        struct str line;
        sql = str_cut_line(sql, &line);
        terminal_print("      | %.*s\n", STR_ARG(line));
    }
}

/* What went wrong, or why it was settled so. */
static void print_why(const struct event *e)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(json)
    struct json *detail = e->detail.len ? json_parse(e->detail, STR("detail"), &ignored) : NULL;
    struct str why = json_str_of(json_get(detail, "message"));
    int64_t line;
    if (!why.len)
        why = json_str_of(json_get(detail, "reason"));
    if (!why.len)
        return;
    terminal_print("       %.*s", STR_ARG(why));
    if (json_i64_of(json_get(detail, "line"), &line))
        printf(" (line %lld)", (long long)line);
    putchar('\n');
}

static bool show_event(void *context, const struct event *e, struct fail *f)
{
    (void)f;
    struct event_view *view = context;
    const char *wanted = view->options->version;
    bool is_other = wanted && !view->label.len &&
                    version_compare(VERSION_ORDER_DOTTED, e->version, str_of(wanted)) != 0;
    if (e->id < view->from_id || is_other)
        return true;
    if (view->format == FORMAT_JSON) {
        json_push(view->list, event_json(e, view->options->show_sql));
        return true;
    }
    struct arena_mark mark = arena_mark(view->arena);
    bool is_bad = str_equal(e->kind, STR(EVENT_FAILED));
    terminal_print("%5lld  %s  %s%-12.*s%s  %.*s", (long long)e->id,
                   terminal_time(view->arena, e->at), ink_on(is_bad ? INK_BAD : INK_PLAIN),
                   STR_ARG(e->kind), ink_off(is_bad ? INK_BAD : INK_PLAIN), STR_ARG(e->version));
    if (e->unit)
        printf(" step %lld", (long long)e->unit);
    terminal_print("  by %.*s@%.*s as %.*s", STR_ARG(e->actor), STR_ARG(e->host),
                   STR_ARG(e->db_role));
    if (e->git_commit.len)
        terminal_print("  from %.10s", arena_cstr(view->arena, e->git_commit));
    if (e->duration_us)
        printf("  %s", clock_duration_text(view->arena, e->duration_us));
    if (e->lock_wait_us > 0)
        printf("  waited %s for tables", clock_duration_text(view->arena, e->lock_wait_us));
    if (e->sqlstate.len)
        terminal_print("  SQLSTATE %.*s", STR_ARG(e->sqlstate));
    putchar('\n');
    print_why(e);
    if (view->options->show_sql)
        print_sql(e->sql);
    arena_reset(view->arena, mark);
    return true;
}

static bool print_events(struct session *s, enum output_format format, struct fail *f)
{
    const struct options *o = s->options;
    struct event_view view = {
        .arena = s->arena,
        .options = o,
        .label = wanted_label(o, &s->history),
        .format = format,
        .list = format == FORMAT_JSON ? json_make_array() : NULL,
        .from_id = o->limit && !o->version ? s->history.head_id - o->limit + 1 : 1,
    };
    if (view.from_id < 1)
        view.from_id = 1;
    if (s->history.exists &&
        !s->driver->read_events(s->connection, view.from_id, wanted_label(o, &s->history),
                                show_event, &view, f)) {
        json_release(view.list);
        return false;
    }
    if (format == FORMAT_JSON) {
        SCOPED(json) struct json *root = json_make_object();
        json_set_i64(root, "format", 1);
        json_set(root, "events", view.list);
        SCOPED(buf) struct buf text = {0};
        json_print(&text, root, true);
        puts(buf_cstr(&text));
    }
    return true;
}

/* ---- verify ---- */

/* Files are compared where there are any: an auditor may hold only the database. */
static bool verify_files(struct session *s, struct verification *v, struct fail *f)
{
    struct reconciliation r;
    SCOPED(fail) struct fail no_files = FAIL_NONE;
    if (!session_read_migrations(s, &no_files)) {
        bool is_absent = !s->options->dirs.count && !s->config.migrations.count;
        if (is_absent)
            return true;
        *f = no_files;
        no_files = FAIL_NONE;
        return false;
    }
    if (!session_reconcile(s, &r, f))
        return false;
    verification_mark(v, &r);
    for (size_t i = 0; i < r.count; i++) {
        bool is_new = r.at[i].state != STATE_OUT_OF_ORDER && r.at[i].state != STATE_UNRECORDED;
        if (reconciled_is_problem(&r.at[i]) && is_new)
            vec_push(s->arena, &v->findings,
                     (struct finding){reconciled_sentence(s->arena, &r.at[i])});
    }
    return true;
}

static void print_verification(const struct session *s, const struct verification *v,
                               enum output_format format)
{
    if (format == FORMAT_JSON) {
        SCOPED(json) struct json *root = json_make_object();
        struct json *list = json_make_array();
        for (size_t i = 0; i < v->findings.count; i++)
            json_push_str(list, str_of(v->findings.at[i].text));
        json_set_i64(root, "format", 1);
        json_set_bool(root, "whole", v->findings.count == 0);
        json_set_i64(root, "events", v->events);
        json_set_i64(root, "rows", (int64_t)s->history.count);
        json_set_str(root, "head", s->history.head_digest);
        json_set(root, "findings", list);
        json_set_i64(root, "accepted_findings", (int64_t)v->accepted);
        json_set_i64(root, "accepted_by", v->accepted_by);
        SCOPED(buf) struct buf text = {0};
        json_print(&text, root, true);
        puts(buf_cstr(&text));
        return;
    }
    for (size_t i = 0; i < v->findings.count; i++)
        terminal_print("%s\n", v->findings.at[i].text);
    if (v->accepted)
        terminal_print("%zu earlier finding%s accepted by event %lld: %.*s\n", v->accepted,
                       v->accepted == 1 ? " was" : "s were", (long long)v->accepted_by,
                       STR_ARG(v->acceptance));
    if (v->findings.count)
        terminal_print("%s%zu finding%s%s: the record is not whole\n", ink_on(INK_BAD),
                       v->findings.count, v->findings.count == 1 ? "" : "s", ink_off(INK_BAD));
    else
        terminal_print("%swhole%s: %lld event%s and %zu row%s prove each other; head %.*s\n",
                       ink_on(INK_GOOD), ink_off(INK_GOOD), (long long)v->events,
                       v->events == 1 ? "" : "s", s->history.count,
                       s->history.count == 1 ? "" : "s", STR_ARG(s->history.head_digest));
}

static bool verify(struct session *s, enum output_format format, enum exit_code *code,
                   struct fail *f)
{
    struct verification v;
    if (!verification_run(s->arena, s->driver, s->connection, &s->history,
                          str_of(s->options->anchor), &v, f) ||
        !verify_files(s, &v, f))
        return false;
    print_verification(s, &v, format);
    *code = v.findings.count ? EXIT_INTEGRITY : EXIT_DONE;
    return true;
}

static bool print_history(struct session *s, enum output_format format, enum exit_code *code,
                          struct fail *f)
{
    const struct options *o = s->options;
    if (o->print_anchor) {
        if (s->history.head_digest.len)
            terminal_print("%.*s\n", STR_ARG(s->history.head_digest));
        else
            log_line(LOG_NOTE, "no history, and so no head of it: there is nothing to keep");
        return true;
    }
    if (o->verify)
        return verify(s, format, code, f);
    if (o->events || o->show_sql)
        return print_events(s, format, f);
    if (format == FORMAT_TEXT) {
        print_rows(s->arena, o, &s->history);
        return true;
    }
    SCOPED(json) struct json *root = json_make_object();
    struct json *list = json_make_array();
    for (size_t i = first_row(o, &s->history); i < s->history.count; i++) {
        if (is_wanted(o, &s->history.at[i]))
            json_push(list, row_json(&s->history.at[i]));
    }
    json_set_i64(root, "format", 1);
    json_set(root, "history", list);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
    return true;
}

enum exit_code cmd_history(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    enum output_format format;
    enum exit_code code = EXIT_DONE;
    if (!session_format(o, &format, f))
        return f->code;
    if (o->anchor && !o->verify) {
        fail_set(f, EXIT_USAGE, "--check-anchor goes with --verify");
        fail_hint(f, "migrate history --verify --check-anchor DIGEST");
        return f->code;
    }
    if (o->print_anchor && (o->verify || o->events || o->show_sql)) {
        fail_set(f, EXIT_USAGE, "--anchor prints the head digest and nothing else");
        fail_hint(f, "To look for a digest that was kept: migrate history --verify --check-anchor "
                     "DIGEST");
        return f->code;
    }
    if (o->verify && (o->events || o->show_sql)) {
        fail_set(f, EXIT_USAGE, "--verify checks the history and lists nothing of it");
        fail_hint(f, "One after the other: migrate history --verify, then migrate history "
                     "--events.");
        return f->code;
    }
    if (!session_start(a, o, &s, f))
        return f->code;
    if (session_connect(&s, true, f) && session_read_history(&s, f))
        (void)print_history(&s, format, &code, f);
    session_close(&s);
    return fail_is_set(f) ? f->code : code;
}
