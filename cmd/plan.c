/*
 * migrate plan, first form: every pending statement with its kind, class and transaction. Reads only.
 * With files named, those are planned instead of what is pending.
 */
#include "cmd/command.h"
#include "cmd/phases.h"
#include "cmd/plan_branch.h"
#include "cmd/plan_write.h"
#include "cmd/report.h"
#include "cmd/session.h"
#include "cmd/terminal.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "drivers/drivers.h"
#include "drivers/source/directory.h"
#include "planner/rules.h"

#include <unistd.h>

static void print_json(const struct session *s, const struct plan *plan,
                       const struct open_phases *phases, const struct reconciled *opaque)
{
    SCOPED(json) struct json *root = plan_json(plan);
    json_set(root, "waiting", phases_json(phases));
    SCOPED(arena) struct arena *a = arena_make();
    if (s->branch)
        plan_branch_set_json(s, plan, root);
    if (opaque) {
        struct json *stop = json_make_object();
        json_set_str(stop, "version", opaque->migration->version);
        json_set_str(stop, "path", opaque->migration->path);
        json_set_cstr(stop, "reason", reconciled_sentence(a, opaque));
        json_set(root, "stops_at", stop);
    } else {
        json_set_null(root, "stops_at");
    }
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
}

/* The forms of a plan: who reads it. */
static bool read_format(const struct options *o, const char **out, struct fail *f)
{
    static const char *const names[] = {"text", "json", "markdown", "sarif", "github", "gitlab"};
    *out = o->format ? o->format : "text";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(*out, names[i]) == 0)
            return true;
    }
    fail_set(f, EXIT_USAGE, "there is no format \"%s\" for this command", o->format);
    return fail_hint(f, "Use --format text, json, markdown, sarif, github or gitlab.");
}

static void print_report(struct arena *a, const struct session *s, const struct plan *plan,
                         const struct open_phases *phases, const char *format)
{
    struct report r = report_make(a, plan, plan_branch_base(s));
    r.is_verbose = s->options->verbose > 0;
    SCOPED(buf) struct buf out = {0};
    if (strcmp(format, "sarif") == 0 || strcmp(format, "gitlab") == 0)
        report_fingerprint(a, &r);
    if (strcmp(format, "text") == 0) {
        phases_print(phases);
        report_text(a, &r);
    } else if (strcmp(format, "markdown") == 0)
        report_markdown(a, &r, &out);
    else if (strcmp(format, "sarif") == 0)
        report_sarif(a, &r, &out);
    else if (strcmp(format, "github") == 0)
        report_github(a, &r, &out);
    else
        report_gitlab(a, &r, &out);
    fwrite(out.at ? out.at : "", 1, out.len, stdout);
}

/* Standard input cannot be read twice: it is kept in a file that has no name and takes its place. */
static const char *spool_stdin(struct fail *f)
{
    FILE *spool = tmpfile();
    char piece[65536];
    size_t len;
    if (!spool) {
        fail_errno(f, EXIT_USAGE, "could not make a temporary file for standard input");
        fail_hint(f, "Set TMPDIR to a directory that can be written to.");
        return NULL;
    }
    while ((len = fread(piece, 1, sizeof(piece), stdin)) > 0) {
        if (fwrite(piece, 1, len, spool) != len)
            break;
    }
    if (ferror(stdin) || ferror(spool) || fflush(spool) != 0 ||
        dup2(fileno(spool), STDIN_FILENO) < 0) {
        fail_errno(f, EXIT_USAGE, "could not keep standard input");
        fail_hint(f, "Set TMPDIR to a directory with room, or name a file instead of -.");
        return NULL;
    }
    return "/dev/stdin";
}

static bool read_files(struct session *s, struct fail *f)
{
    const struct text_list *files = &s->options->arguments;
    s->migrations.layout = LAYOUT_PLAIN;
    s->migrations.order = VERSION_ORDER_TEXT;
    for (size_t i = 0; i < files->count; i++) {
        bool is_stdin = strcmp(files->at[i], "-") == 0;
        const char *path = is_stdin ? spool_stdin(f) : files->at[i];
        struct migration m;
        if (!path || !directory_read_file(s->arena, str_of(path), s->url.engine, &m, f))
            return false;
        if (is_stdin) {
            m.version = (struct str){0};
            m.script = STR("-");
            m.description = STR("standard input");
        }
        vec_push(s->arena, &s->migrations, m);
    }
    return true;
}

/* What is planned: the named files; offline all migrations; else what is
 * pending on the target. */
static bool select_migrations(struct session *s, bool is_branch, struct selection *selection,
                              struct open_phases *phases, struct fail *f)
{
    const struct options *o = s->options;
    struct reconciliation r = {0};
    bool is_read = o->arguments.count    ? read_files(s, f)
                   : o->rev || is_branch ? plan_branch_read(s, is_branch, f)
                                         : session_read_migrations(s, f);
    if (!is_read)
        return false;
    if (!o->offline && !session_connect_or_empty(s, f))
        return false;
    session_print_notes(s);
    if (o->offline)
        session_take_server_version(s);
    if (!session_read_schema(s, f))
        return false;
    if (o->arguments.count || o->offline) {
        s->history.count = 0;
        if (is_branch)
            return plan_branch_select(s, selection, f);
        return session_reconcile(s, &r, f) && session_select(s, &r, selection, f);
    }
    if (is_branch)
        return session_check_record(s, f) && plan_branch_select(s, selection, f);
    if (!session_check_record(s, f) || !session_reconcile(s, &r, f) ||
        !reconciliation_check(&r, o->allow_out_of_order, f))
        return false;
    *phases = phases_find(s, &r);
    return session_select(s, &r, selection, f);
}

/* Where apply stops, the plan ends, in the same words. Offline nobody knows what was applied, so there it
   is no failure. */
static bool stop_at_code(const struct selection *selection, bool is_offline, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    if (!is_offline)
        return session_refuse_opaque(selection, f);
    if (selection->opaque)
        log_line(LOG_WARN, "%s: the plan ends in front of it, and an apply stops there",
                 reconciled_sentence(a, selection->opaque));
    return true;
}

static bool make_plan(struct session *s, const struct options *o, const char *format,
                      struct plan *plan, struct fail *f)
{
    struct selection selection = {0};
    struct open_phases phases = {0};
    bool is_branch = plan_branch_is_wanted(s);
    if (!select_migrations(s, is_branch, &selection, &phases, f) ||
        !session_plan(s, &selection, true, plan, f))
        return false;
    if (o->write) {
        if (!plan_write(s, o->write, &selection, plan, f))
            return false;
    } else if (strcmp(format, "json") == 0)
        print_json(s, plan, &phases, selection.opaque);
    else if (plan->count || !selection.opaque)
        print_report(s->arena, s, plan, &phases, format);
    if (!o->write && !o->no_gate && !phases_check(s, plan, f))
        return false;
    return stop_at_code(&selection, o->offline, f);
}

/* The first that blocks, or that tells of what could not be looked into. */
static const struct report_finding *decisive(const struct report *r, bool is_about_unknown)
{
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct hazard *h = r->findings.at[i].hazard;
        if (!h->waiver && (is_about_unknown ? rule_is_about_the_unknown(h->rule->id)
                                            : hazard_level_left(h) == HAZARD_BLOCK))
            return &r->findings.at[i];
    }
    return NULL;
}

static void tell_refusal(struct arena *a, const struct plan *plan, struct fail *f)
{
    struct report r = report_make(a, plan, NULL);
    const struct report_finding *first = decisive(&r, !r.blocks);
    const char *id = first ? first->hazard->rule->id : "dynamic-sql";
    bool has_form =
        first && first->statement && first->statement->online && !first->statement->runs_online;
    fail_set(f, EXIT_REFUSED, "the gate would refuse this plan: %s",
             r.blocks
                 ? arena_printf(a, "%zu finding%s", r.blocks, r.blocks == 1 ? " blocks" : "s block")
             : r.not_judged == 1 ? "a migration could not be judged"
                                 : "some migrations could not be judged");
    fail_hint(f,
              "%s, or allow it in the file with a reason: -- migrate: allow %s reason=\"…\"; "
              "`migrate explain %s` tells more.",
              has_form   ? "Let it run in its online form (--rewrite auto)"
              : r.blocks ? "Rewrite what blocks"
                         : "Write it so that it can be looked into",
              id, id);
}

enum exit_code cmd_plan(struct arena *a, const struct options *given, struct fail *f)
{
    struct session s;
    struct plan plan = {0};
    struct options o = *given;
    const char *format;
    if (!read_format(&o, &format, f) || !plan_branch_options(a, &o, f) ||
        !plan_write_options(&o, f) || !session_check_offline(&o, f) || !session_start(a, &o, &s, f))
        return f->code;
    plan_branch_settle(&s, &o);
    bool is_planned = make_plan(&s, &o, format, &plan, f);
    bool is_refused = is_planned && plan_is_refused(&plan) && !o.no_gate;
    session_close(&s);
    if (!is_planned)
        return f->code;
    if (is_refused) {
        tell_refusal(a, &plan, f);
        return f->code;
    }
    return o.exit_code && plan.count ? EXIT_PENDING : EXIT_DONE;
}
