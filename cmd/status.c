/* migrate status: files against history, one line each; problems in sentences. Never locks or writes. */
#include "cmd/backfill.h"
#include "cmd/command.h"
#include "cmd/phases.h"
#include "cmd/session.h"
#include "cmd/terminal.h"
#include "cmd/usage.h"
#include "core/base/json.h"

static enum ink ink_of(const struct reconciled *r)
{
    if (reconciled_is_problem(r) || r->state == STATE_OPAQUE)
        return INK_BAD;
    if (r->state == STATE_INCOMPLETE || r->state == STATE_EXPANDED || r->state == STATE_SWITCHED)
        return INK_WARN;
    return reconciled_is_pending(r) ? INK_BOLD : INK_PLAIN;
}

static const char *remark_of(struct arena *a, const struct reconciled *r)
{
    if (r->state == STATE_CHANGED)
        return r->change == CHANGE_COMMENTS ? "comments differ" : "statements differ";
    if (r->state == STATE_RENUMBERED)
        return arena_printf(a, "was %.*s", STR_ARG(history_row_label(r->other)));
    if (r->state == STATE_EXPANDED)
        return "waits for its contract";
    if (r->state == STATE_SWITCHED)
        return "has a way back until its contract";
    if (r->state == STATE_INCOMPLETE)
        return arena_printf(a, "%lld step%s done", (long long)r->row->units_done,
                            r->row->units_done == 1 ? "" : "s");
    if (r->state == STATE_OPAQUE)
        return "written as code";
    if (r->state == STATE_UNRECORDED)
        return "its row was removed";
    if (r->change == CHANGE_LINE_ENDINGS)
        return "line ends differ";
    return r->migration && r->migration->kind == MIGRATION_BASELINE ? "baseline" : "";
}

static void print_table(struct arena *a, const struct reconciliation *r)
{
    static const char *const headings[] = {"STATE",   "VERSION", "DESCRIPTION",
                                           "APPLIED", "BY",      "REMARK"};
    struct table *t = table_make(a, headings, ARRAY_LEN(headings));
    for (size_t i = 0; i < r->count; i++) {
        const struct reconciled *one = &r->at[i];
        const char *cells[] = {
            migration_state_name(one->state),
            arena_cstr(a, one->migration ? migration_label(one->migration)
                                         : history_row_label(one->row)),
            arena_cstr(a, one->migration ? one->migration->description : one->row->description),
            one->row ? terminal_time(a, one->row->installed_at) : "",
            one->row ? arena_cstr(a, one->row->installed_by) : "",
            remark_of(a, one),
        };
        table_add(t, cells, 0, ink_of(one));
    }
    if (table_rows(t))
        table_print(t);
}

/* What needs a word, and what to do about it, each advice once. */
static void print_sentences(struct session *s, const struct reconciliation *r,
                            const struct backfill_points *points)
{
    struct arena *a = s->arena;
    const char *hints[STATE_ROLLING_BACK + 1];
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        const char *sentence = reconciled_sentence(a, &r->at[i]);
        if (!sentence[0])
            continue;
        terminal_print("  %s\n", sentence);
        const char *batches = backfill_sentence(a, points, &r->at[i]);
        if (batches[0])
            terminal_print("  %s\n", batches);
        const char *left = session_left_sentence(s, &r->at[i]);
        if (left[0])
            terminal_print("  %s\n", left);
        const char *hint = reconciled_hint(&r->at[i]);
        size_t known = 0;
        while (known < count && hints[known] != hint)
            known++;
        if (known == count)
            hints[count++] = hint;
    }
    for (size_t i = 0; i < count; i++)
        printf("hint: %s\n", hints[i]);
}

/* What the chain of events says against the rows and against itself. */
static void print_findings(const struct verification *v)
{
    for (size_t i = 0; i < v->findings.count; i++)
        terminal_print("  %s\n", v->findings.at[i].text);
    if (v->findings.count)
        puts(
            "hint: `migrate history --events` shows who did what. What is settled is recorded with "
            "`migrate resolve`.");
}

static void print_text(struct session *s, const struct reconciliation *r,
                       const struct verification *v, const struct backfill_points *points,
                       const struct open_phases *phases)
{
    phases_print(phases);
    if (phases->count)
        putchar('\n');
    print_table(s->arena, r);
    if (r->count)
        putchar('\n');
    terminal_print("%s: %zu applied, %zu pending", s->server.safe_url, r->applied, r->pending);
    if (r->expanded)
        printf(", %zu expanded", r->expanded);
    if (r->switched)
        printf(", %zu switched", r->switched);
    if (r->problems)
        printf(", %zu problem%s", r->problems, r->problems == 1 ? "" : "s");
    if (v->findings.count)
        printf(", the history is not whole (%zu finding%s)", v->findings.count,
               v->findings.count == 1 ? "" : "s");
    putchar('\n');
    print_sentences(s, r, points);
    print_findings(v);
}

static struct json *json_of(struct session *s, const struct reconciled *r,
                            const struct backfill_points *points)
{
    static const char *const changes[] = {
        [CHANGE_NONE] = "none",
        [CHANGE_LINE_ENDINGS] = "line endings",
        [CHANGE_COMMENTS] = "comments",
        [CHANGE_SQL] = "sql",
    };
    struct json *j = json_make_object();
    json_set_cstr(j, "state", migration_state_name(r->state));
    json_set_str(j, "version", r->migration ? r->migration->version : r->row->version);
    json_set_str(j, "description", r->migration ? r->migration->description : r->row->description);
    json_set_str(j, "script", r->migration ? r->migration->script : r->row->script);
    json_set_cstr(j, "change", changes[r->change]);
    if (r->row) {
        json_set_str(j, "installed_on", r->row->installed_at);
        json_set_str(j, "installed_by", r->row->installed_by);
        json_set_i64(j, "units_done", r->row->units_done);
    }
    if (r->other)
        json_set_str(j, "renumbered_from", history_row_label(r->other));
    session_set_left(s, r, j);
    backfill_set(j, points, r);
    return j;
}

static void print_json(struct session *s, const struct reconciliation *r,
                       const struct verification *v, const struct backfill_points *points,
                       const struct open_phases *phases)
{
    SCOPED(json) struct json *root = json_make_object();
    json_set_i64(root, "format", 1);
    json_set_cstr(root, "target", s->server.safe_url);
    json_set_i64(root, "applied", (int64_t)r->applied);
    json_set_i64(root, "pending", (int64_t)r->pending);
    json_set_i64(root, "expanded", (int64_t)r->expanded);
    json_set_i64(root, "switched", (int64_t)r->switched);
    json_set_i64(root, "problems", (int64_t)r->problems);
    json_set(root, "waiting", phases_json(phases));
    struct json *list = json_make_array();
    for (size_t i = 0; i < r->count; i++)
        json_push(list, json_of(s, &r->at[i], points));
    json_set(root, "migrations", list);
    struct json *findings = json_make_array();
    for (size_t i = 0; i < v->findings.count; i++)
        json_push_str(findings, str_of(v->findings.at[i].text));
    json_set(root, "findings", findings);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
}

enum exit_code cmd_status(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    struct reconciliation r = {0};
    struct verification v = {0};
    struct backfill_points points;
    enum output_format format;
    if (!session_format(o, &format, f) || !session_start(a, o, &s, f))
        return f->code;
    if (session_open(&s, true, f) && session_reconcile(&s, &r, f) &&
        verification_run(a, s.driver, s.connection, &s.history, (struct str){0}, &v, f) &&
        backfill_read_points(&s, &points, f)) {
        verification_mark(&v, &r);
        session_print_notes(&s);
        struct open_phases phases = phases_find(&s, &r);
        if (!usage_look(&s, &phases, f)) {
            session_close(&s);
            return f->code;
        }
        if (format == FORMAT_JSON)
            print_json(&s, &r, &v, &points, &phases);
        else
            print_text(&s, &r, &v, &points, &phases);
    }
    session_close(&s);
    if (fail_is_set(f))
        return f->code;
    if (r.problems || v.findings.count)
        return EXIT_INTEGRITY;
    return o->exit_code && r.pending ? EXIT_PENDING : EXIT_DONE;
}
