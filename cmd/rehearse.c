/*
 * migrate rehearse: the plan of the target, run on a copy of it while it is looked at. The target is only
 * read. What was measured is told, and written as evidence for the plan with this digest.
 */
#include "cmd/rehearse.h"
#include "cmd/command.h"
#include "cmd/signals.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/run/run_lock.h"

#include <unistd.h>

/* ---- which copy ---- */

static bool refuse_copy(const char *text, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "\"%s\" says no copy", text);
    return fail_hint(f, "Give --copy dump:FILE, --copy template:DATABASE or --copy url:URL.");
}

static bool source_of_config(struct session *s, struct copy_origin *out, struct fail *f)
{
    const struct config *c = &s->config;
    int given = (c->copy_dump.len > 0) + (c->copy_template.len > 0) + (c->copy_url.text.len > 0);
    if (given != 1) {
        fail_set(f, EXIT_USAGE,
                 given ? "rehearsal.copy names more than one copy"
                       : "it is not said what to rehearse on");
        return fail_hint(f,
                         "Set one of rehearsal.copy.dump, .template and .url in migrator.yml, or "
                         "give --copy dump:FILE.");
    }
    if (c->copy_url.text.len) {
        out->kind = COPY_URL;
        return session_late_value(s, &c->copy_url, "rehearsal.copy.url", &out->from, f);
    }
    out->kind = c->copy_dump.len ? COPY_DUMP : COPY_TEMPLATE;
    out->from = c->copy_dump.len ? c->copy_dump : c->copy_template;
    return true;
}

static bool find_source(struct session *s, struct copy_origin *out, struct fail *f)
{
    const struct options *o = s->options;
    *out = (struct copy_origin){0};
    if (o->copy) {
        struct str kind;
        out->from = str_cut(str_of(o->copy), ':', &kind);
        if (!copy_kind_of_name(kind, &out->kind) || !out->from.len)
            return refuse_copy(o->copy, f);
    } else if (!source_of_config(s, out, f)) {
        return false;
    }
    if (!o->server)
        return session_late_value(s, &s->config.rehearsal_server, "rehearsal.server", &out->server,
                                  f);
    out->server = str_of(o->server);
    return true;
}

/* ---- the target: what would be run there ---- */

static bool plan_target(struct session *s, struct selection *selection, struct plan *out,
                        struct fail *f)
{
    struct reconciliation r;
    return session_select_pending(s, &r, selection, f) &&
           (!selection->count || session_plan(s, selection, false, out, f));
}

/* ---- the copy ---- */

static void tell(void *context, const char *what)
{
    (void)context;
    log_line(LOG_NOTE, "%s", what);
}

/* The plan must be the one of the target, or it proves nothing about it. */
static bool check_same(const struct session *s, const struct session *c, const struct plan *target,
                       const struct plan *copy, struct fail *f)
{
    if (digest_equal(&target->digest, &copy->digest))
        return true;
    fail_set(f, EXIT_INTEGRITY, "the copy is not what the target is: its plan is %.12s, not %.12s",
             copy->digest.hex, target->digest.hex);
    if (!str_equal(s->history.head_digest, c->history.head_digest))
        return fail_hint(f,
                         "The target's history has gone on since the copy was made (%zu entries "
                         "here, %zu there): take a newer one.",
                         c->history.count, s->history.count);
    return fail_hint(f, "`migrate plan` against both shows where they differ.");
}

/* Roles, databases and settings of the server are those of the target, where the copy lies beside it. */
static bool check_reach(const struct rehearsal *r, const struct plan *plan, struct fail *f)
{
    static const char *const words[] = {"ROLE", "DATABASE", "SYSTEM", "TABLESPACE"};
    for (size_t i = 0; r->shares_server && i < plan->count; i++) {
        const struct planned_migration *m = &plan->migrations[i];
        for (size_t k = 0; k < m->statements.count; k++) {
            const struct statement *s = &m->statements.at[k].statement;
            for (size_t w = 0; w < ARRAY_LEN(words); w++) {
                if (!text_mentions(str_of(s->kind), str_of(words[w])))
                    continue;
                fail_set(f, EXIT_USAGE,
                         "%s reaches beyond the copy, which is on the target's server", s->kind);
                fail_at(f, m->migration->path, s->line, s->column, (struct str){0});
                return fail_hint(f, "Rehearse it on another server: --server URL, or a dump in a "
                                    "private one.");
            }
        }
    }
    return true;
}

static bool rehearse_locked(struct rehearsal *r, const struct plan *target, struct fail *f)
{
    struct session *c = &r->on;
    struct reconciliation state;
    struct selection selection;
    struct plan plan, shown;
    struct running running;
    struct running_parts parts;
    if (!c->driver->prepare_history(c->connection, f) || !session_read_history(c, f) ||
        !session_select_pending(c, &state, &selection, f) ||
        !session_plan(c, &selection, false, &plan, f) ||
        !session_plan(c, &selection, true, &shown, f) ||
        !check_same(r->target, c, target, &plan, f) || !check_reach(r, &shown, f) ||
        !phases_check(c, &plan, f))
        return false;
    running = (struct running){.session = c, .goal = GOAL_APPLY};
    struct run_context run = running_context(&running, &parts);
    const struct apply_request request = {
        .plan = &plan,
        .rows = selection.rows,
        .watch = {.before = rehearsal_show_before},
    };
    const struct rehearsal_request how = {
        .shown = &shown,
        .driver = c->driver->rehearsal,
        .copy = &r->copy,
        .application_name = arena_printf(c->arena, "migrate run=%.8s", c->run),
        .tool = arena_printf(c->arena, "migrate %s", migrate_version()),
        .target = r->target->url.safe,
        .server = c->server.version_text,
        .limits = {.blocked_ms = c->config.max_blocked_ms,
                   .strong_lock_ms = c->config.max_strong_lock_ms,
                   .duration_ms = c->config.max_duration_ms},
    };
    signals_cancel_on(c->driver, c->connection);
    bool is_run = rehearse_run(c->arena, &run, &request, &how, &r->evidence, f);
    signals_cancel_on(NULL, NULL);
    return is_run;
}

static bool rehearse_on_copy(struct rehearsal *r, const struct plan *target, struct fail *f)
{
    struct session *s = r->target, *c = &r->on;
    r->copy_options = *s->options;
    r->copy_options.url = arena_cstr(s->arena, r->copy.url);
    if (s->url.search_path && r->copy.kind != COPY_URL) /* as on the target */
        r->copy_options.url =
            arena_printf(s->arena, "%s search_path='%s'", r->copy_options.url, s->url.search_path);
    r->copy_options.target = NULL;
    *c = (struct session){.arena = s->arena, .options = &r->copy_options};
    if (!session_start(s->arena, &r->copy_options, c, f))
        return false;
    c->history_name = s->history_name;
    c->target_name = s->target_name; /* placeholders that name it */
    bool is_done = session_open(c, false, f) && session_require_direct(c, f) &&
                   c->driver->rehearsal->prove_copy(c->arena, &r->copy, s->connection,
                                                    c->connection, &r->shares_server, f) &&
                   run_lock_acquire(c->driver, c->connection, c->run, 0, &stop_signal, f);
    if (is_done) {
        is_done = rehearse_locked(r, target, f);
        c->driver->unlock(c->connection);
    }
    session_close(c);
    return is_done;
}

/* ---- the whole ---- */

static bool write_evidence(struct session *s, const struct evidence *e, struct str key,
                           struct fail *f)
{
    SCOPED(buf) struct buf text = {0};
    evidence_print(&text, e, key);
    if (s->options->out && !fs_replace(s->options->out, buf_str(&text), f))
        return fail_hint(f, "--out names a file in a directory that is there.");
    if (rehearsal_wants_json(s->options))
        fputs(buf_cstr(&text), stdout);
    return true;
}

static bool check_verdict(const struct evidence *e, struct fail *f)
{
    if (e->verdict == VERDICT_PASS)
        return true;
    fail_set(f, EXIT_REFUSED,
             e->verdict == VERDICT_BLOCK ? "the rehearsal does not pass"
                                         : "the rehearsal proves nothing");
    for (size_t i = 0; i < e->reasons.count; i++)
        fail_detail(f, "%s.", e->reasons.at[i]);
    return fail_hint(f, "Nothing was changed but the copy.");
}

/* A rehearsal may take hours: whether its evidence can be written is asked before. */
static bool check_out(const char *path, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    if (!path || access(arena_cstr(a, fs_dirname(str_of(path))), W_OK) == 0)
        return true;
    fail_errno(f, EXIT_USAGE, "cannot write %s", path);
    return fail_hint(f, "--out names a file in a directory that is there.");
}

static bool rehearse(struct rehearsal *r, struct fail *f)
{
    struct session *s = r->target;
    struct selection selection;
    struct copy_origin source;
    struct plan plan = {0};
    if (!session_start(s->arena, s->options, s, f) || !find_source(s, &source, f) ||
        !session_late_value(s, &s->config.evidence_key, "policy.evidence_key", &r->key, f) ||
        !check_out(s->options->out, f) || !session_open(s, true, f))
        return false;
    if (!s->driver->rehearsal) {
        fail_set(f, EXIT_USAGE, "there are no rehearsals on %s", engine_name(s->url.engine));
        return fail_hint(f,
                         "Copy the file, and apply to the copy: a lock there is as long as one on "
                         "the file.");
    }
    session_print_notes(s);
    if (!plan_target(s, &selection, &plan, f))
        return false;
    if (!selection.count) {
        puts(rehearsal_wants_json(s->options)
                 ? "{\"format\": 1, \"verdict\": \"pass\", \"reasons\": [], \"steps\": []}"
                 : "nothing to do");
        return true;
    }
    const struct copy_request request = {
        .source = &source,
        .name = arena_printf(s->arena, "migrate_rehearsal_%.12s", s->run),
        .server_version = s->server.version_number,
        .stop_signal = &stop_signal,
        .tell = tell,
    };
    if (!s->driver->rehearsal->make_copy(s->arena, &request, &r->copy, f))
        return false;
    bool is_done = rehearse_on_copy(r, &plan, f);
    s->driver->rehearsal->dispose(&r->copy);
    if (!is_done)
        return false;
    if (!rehearsal_wants_json(s->options))
        rehearsal_print(s->arena, &r->evidence, s->options->out);
    return write_evidence(s, &r->evidence, r->key, f) && check_verdict(&r->evidence, f);
}

enum exit_code cmd_rehearse(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s = {.arena = a, .options = o};
    struct rehearsal r = {.target = &s};
    enum output_format format;
    if (!session_format(o, &format, f))
        return f->code;
    signals_expect_run(true);
    (void)rehearse(&r, f);
    session_close(&s);
    return f->code;
}
