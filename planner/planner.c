/*
 * One pass over every script. Statements are kept when they are to be shown; a plan that will be applied
 * holds numbers, digests and the small scripts as they were cut, as long as they fit.
 */
#include "planner/planner.h"

#include "core/base/vec.h"
#include "core/model/kept.h"
#include "planner/planner_files.h"
#include "planner/planner_parts.h"
#include "planner/planner_schema.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"
#include "planner/postgres/parse.h"
#include "planner/rules.h"
#include "planner/sqlite/analysis.h"
#include "planner/sqlite/cut.h"

const struct dialect *dialect_for(enum engine engine)
{
    return engine == ENGINE_SQLITE ? &sqlite_dialect : &postgres_dialect;
}

const char *parser_version(bool is_runtime)
{
    return postgres_parser_version(is_runtime);
}

/* Scripts kept for the run: each, and all together. */
#define KEEP_BYTES ((size_t)16 << 10)
#define KEEP_ALL_BYTES ((size_t)8 << 20)

static void keep_warning(struct pass *p, const struct statement *s, const char *warning)
{
    const char *text = arena_printf(p->a, "line %u: %s", s->line, warning);
    vec_push(p->a, &p->planned->warnings, text);
}

static const char *copy_text(struct arena *a, const char *text)
{
    return text ? arena_cstr(a, str_of(text)) : NULL;
}

/* What grouping has said of it. before: the unit that was open in front of it. What is not sent (a COMMIT
   that is ignored, PRAGMA foreign_keys) belongs to no unit. */
static struct planned_statement place_statement(const struct pass *p, const struct statement *s,
                                                enum unit_kind before,
                                                const struct grouping_step *step)
{
    struct planned_statement kept = {.statement = *s, .is_transactional = true};
    if (step->send || step->rollback_after) {
        kept.unit = p->grouping.unit;
        kept.unit_kind = step->open != UNIT_NONE ? step->open : before;
        kept.is_transactional = kept.unit_kind != UNIT_ALONE;
    }
    return kept;
}

/* Keeps a copy that outlives the window, redacted. */
static void keep_statement(struct pass *p, const struct statement *s,
                           struct planned_statement *kept, const struct analysis *analysis)
{
    struct planned_migration *planned = p->planned;
    p->kept_bytes += s->text.len;
    if (p->kept_bytes > LIMIT_RETAIN_BYTES) {
        planned->is_streamed = true;
        planned->statements.count = 0;
        return;
    }
    kept->statement = *s;
    kept->statement.text = p->request->dialect->redact(p->a, s);
    kept->statement.refused_because = copy_text(p->a, s->refused_because);
    kept->statement.class_reason = copy_text(p->a, s->class_reason);
    kept->statement.not_analysed_reason = copy_text(p->a, s->not_analysed_reason);
    kept->statement.new_enum_value = copy_text(p->a, s->new_enum_value);
    kept->statement.probe = NULL; /* these live with the window; the runner reads it there */
    kept->statement.tree = NULL;
    struct effects *effects = arena_new(p->a, struct effects);
    *effects = analysis->effects;
    kept->effects = effects;
    kept->hazards = analysis->hazards;
    kept->is_transactional &= !effects->refuses_transaction;
    vec_push(p->a, &planned->statements, *kept);
}

static void merge_class(struct planned_migration *planned, const struct statement *s)
{
    if (s->role == ROLE_BEGIN || s->role == ROLE_COMMIT || s->role == ROLE_ROLLBACK)
        return;
    if (s->class != CLASS_ADDITIVE)
        planned->class = CLASS_DESTRUCTIVE;
}

void planner_tell(struct pass *p, enum analysis_event event)
{
    if (p->postgres)
        postgres_analysis_event(p->postgres, event);
    else if (p->sqlite)
        sqlite_analysis_event(p->sqlite, event);
}

void planner_look(struct pass *p, struct statement *s, const struct grouping_step *step,
                  struct arena *a, struct analysis *out)
{
    if (step->commit_before)
        planner_tell(p, ANALYSIS_TRANSACTION_ENDS);
    if (step->open == UNIT_OURS || step->open == UNIT_OWN)
        planner_tell(p, ANALYSIS_TRANSACTION_BEGINS);
    if (p->postgres)
        postgres_analysis_look(a, p->postgres, s, out);
    else
        sqlite_analysis_statement(a, p->sqlite, s, out);
    s->class = out->class;
    s->class_reason = out->class_reason;
}

void planner_take(struct pass *p, const struct statement *s, const struct grouping_step *step,
                  struct arena *a, struct analysis *seen)
{
    if (p->postgres)
        postgres_analysis_take(a, p->postgres, s, seen);
    if (step->rollback_after)
        planner_tell(p, ANALYSIS_TRANSACTION_ROLLED_BACK);
    else if (step->commit_after)
        planner_tell(p, ANALYSIS_TRANSACTION_ENDS);
}

/* A failure that is a warning where files are only looked at. */
static bool forgive(struct pass *p, uint32_t line, struct fail *f)
{
    if (!p->request->is_lenient || f->code != EXIT_FAILED)
        return false;
    const char *text = arena_printf(p->a, "line %u: %s", line, f->message);
    vec_push(p->a, &p->planned->warnings, text);
    fail_clear(f);
    return true;
}

bool planner_feed(struct pass *p, const struct statement *s, bool is_used_later,
                  struct grouping_step *out, struct fail *f)
{
    if (grouping_feed(&p->grouping, s, is_used_later, p->planned->migration->path, out, f))
        return true;
    script_locate(p->script, s, 0, f);
    bool is_refused = s->role == ROLE_REFUSED || s->role == ROLE_ALONE;
    if (!is_refused || !forgive(p, s->line, f))
        return false;
    struct statement ordinary = *s;
    ordinary.role = ROLE_ORDINARY;
    return grouping_feed(&p->grouping, &ordinary, false, p->planned->migration->path, out, f);
}

/* Notes what the verdict depends on; waivers are applied. is_opaque: something of it was not
   looked into. */
static void judge(struct pass *p, bool is_opaque, struct hazards *findings)
{
    bool is_allowed = false;
    for (size_t i = 0; i < findings->count; i++) {
        const struct hazard *h = &findings->at[i];
        if (rule_is_about_the_unknown(h->rule->id))
            is_allowed |= h->waiver != NULL;
        else
            p->is_blocked |= hazard_level_left(h) == HAZARD_BLOCK;
    }
    p->is_unknown |= is_opaque && !is_allowed;
}

/* Shows a statement that the parser does not know to the target's server, which decides whether its syntax is
   valid. One with a secret is not: servers write what they refuse into their logs. */
static bool ask_server(struct pass *p, struct statement *s, struct fail *f)
{
    const struct syntax_judge *server = p->request->syntax;
    struct syntax_verdict verdict;
    if (!server || !s->is_beyond_grammar || s->has_secret)
        return true;
    if (!server->ask(server->context, p->a, s->text, &verdict, f))
        return false;
    if (verdict.answer == SYNTAX_TAKEN) {
        s->syntax.answer = SYNTAX_TAKEN;
        s->not_analysed_reason = arena_printf(
            p->a, "valid for the server (%s), but the parser here does not know it: %s",
            server->server, s->not_analysed_reason);
    } else if (verdict.answer == SYNTAX_REFUSED) {
        s->syntax = verdict;
        s->not_analysed_reason =
            arena_printf(p->a, "%s, says the server (%s)", verdict.message, server->server);
        p->is_blocked = true;
    }
    return true;
}

/* Its effects, its findings and its form; what comes of it goes into the catalog. started: the grouping in
   front of it. */
static bool plan_analysed(struct pass *p, struct statement *s, struct grouping started,
                          struct grouping_step *step, struct fail *f)
{
    struct planned_migration *planned = p->planned;
    size_t number = (size_t)planned->statement_count - 1;
    if (!ask_server(p, s, f))
        return false;
    bool is_forgotten = planned->is_streamed || p->request->is_for_run;
    SCOPED(arena) struct arena *forgotten = is_forgotten ? arena_make() : NULL;
    struct arena *a = forgotten ? forgotten : p->a;
    struct analysis analysis;
    waivers_add(p->a, &p->waivers, s, number);
    planner_look(p, s, step, a, &analysis);
    if (!planner_stands_alone(p, s, &analysis, started, step, f))
        return false;
    struct planned_statement kept = place_statement(p, s, started.open, step);
    waivers_apply(&p->waivers, number, &analysis.hazards);
    planner_open_check(p, s, &analysis);
    kept.online = planner_online_form(p, number, s, started, &analysis, &kept.why_not_online);
    if (!kept.online && !planner_online_check_batch(p, s, f))
        return false;
    kept.runs_online = kept.online && p->request->rewrite == REWRITE_AUTO;
    planned->has_new_forms |= kept.runs_online;
    if (!kept.runs_online && kept.unit)
        planner_note_locks(p, s, kept.unit_kind, &analysis.effects);
    if (!kept.runs_online)
        planner_take(p, s, step, a, &analysis);
    else if (!planner_online_take(p, number, s, kept.online, started, a, &analysis, &kept.unit, f))
        return false;
    if (kept.runs_online && !s->is_analysed)
        planner_online_settle_class(s);
    judge(p, analysis.effects.opaque != NULL, &analysis.hazards);
    merge_class(planned, s);
    if (!is_forgotten)
        keep_statement(p, s, &kept, &analysis);
    else /* what looking has written into it goes with the arena, and it may be sent beside a form */
        s->class_reason = p->is_whole ? copy_text(p->scratch, s->class_reason) : NULL;
    return true;
}

static bool plan_statement(struct pass *p, const struct script_batch *batch, size_t i,
                           struct fail *f)
{
    struct statement s = batch->statements[i];
    struct planned_migration *planned = p->planned;
    bool is_used_later =
        s.new_enum_value &&
        (!batch->is_last ||
         grouping_mentions(&batch->statements[i + 1], batch->count - i - 1, s.new_enum_value));
    struct grouping started = p->grouping;
    struct grouping_step step;
    if (!planner_feed(p, &s, is_used_later, &step, f))
        return false;
    p->enforcement_before = p->enforcement;
    p->enforcement_count_before = planned->enforcements.count;
    const char *warning = enforcement_feed(&p->enforcement, &p->grouping, &step, &s);
    if (step.warning || warning)
        keep_warning(p, &s, step.warning ? step.warning : warning);
    p->behind = &batch->statements[i + 1];
    p->behind_count = batch->count - i - 1;
    planned->statement_count++;
    planned->asks_catalog |= planner_asks_catalog(&s);
    planned->may_have_form |= sqlite_may_have_form(&s);
    planned->has_session_effect |= s.session != SESSION_NONE;
    size_t number = (size_t)planned->statement_count - 1;
    if (planner_online_is_begun(p, number, &s, started))
        return planner_online_resume(p, number, &s, started, f);
    if (p->request->wants_statements && !plan_analysed(p, &s, started, &step, f))
        return false;
    planner_online_sent(p, number, &s);
    return true;
}

/* *out_is_end: there is nothing more to be read. */
static bool skip_data(struct pass *p, uint32_t line, bool *out_is_end, struct fail *f)
{
    if (planner_skip_copy_data(p->script, f))
        return true;
    *out_is_end = true;
    return forgive(p, line, f);
}

static void keep_script(struct pass *p, const struct script_batch *batch)
{
    size_t bytes = 0;
    size_t most = *p->room < KEEP_BYTES ? *p->room : KEEP_BYTES;
    if (!p->request->is_for_run || p->planned->statement_count)
        return; /* nothing is run; or not the first batch */
    p->kept = kept_make(p->a, p->script, batch, most, &bytes);
    *p->room -= bytes;
}

static bool plan_script(struct pass *p, struct fail *f)
{
    struct script_batch batch;
    bool is_end = false;
    do {
        if (!script_next(p->script, &batch, f))
            return false;
        keep_script(p, &batch);
        if (p->request->wants_statements && !p->request->is_for_run && !p->planned->is_streamed)
            vec_reserve(p->a, &p->planned->statements, batch.count);
        planner_online_begin(p, &batch);
        for (size_t i = 0; i < batch.count; i++) {
            if (!plan_statement(p, &batch, i, f))
                return false;
        }
        if (batch.count && p->is_whole && !planner_online_end(p, f))
            return false;
        if (batch.count && (p->planned->online.count || p->is_regrouped) && p->request->is_for_run)
            p->kept = planner_online_kept(p);
        if (!batch.count || batch.is_last)
            waivers_add_behind(p->a, &p->waivers, &batch.behind);
        const struct statement *last = batch.count ? &batch.statements[batch.count - 1] : NULL;
        if (last && last->is_copy_from_stdin && !skip_data(p, last->line, &is_end, f))
            return false;
    } while (batch.count && !is_end);
    enforcement_end(&p->enforcement);
    if (!script_finish(p->script, &p->planned->checksums, f))
        return false;
    if (p->kept)
        p->kept->raw = p->planned->checksums.raw;
    p->planned->kept = p->kept;
    return true;
}

/* What only the end of the file tells is said of the statement that it is about. */
static void place_findings(struct pass *p)
{
    struct hazards all = p->planned->hazards;
    p->planned->hazards = (struct hazards){0};
    for (size_t i = 0; i < all.count; i++) {
        struct hazards *to = &p->planned->hazards;
        for (size_t k = 0; k < p->planned->statements.count && all.at[i].line; k++) {
            struct planned_statement *s = &p->planned->statements.at[k];
            if (s->statement.line == all.at[i].line)
                to = &s->hazards;
        }
        vec_push(p->a, to, all.at[i]);
    }
}

/* Behind the file: what nothing was allowed for is known only now. */
static void end_verdict(struct pass *p, struct planned_migration *out)
{
    waivers_apply(&p->waivers, SIZE_MAX, &out->hazards);
    judge(p, false, &out->hazards);
    if (p->sqlite)
        place_findings(p);
    size_t before = out->hazards.count;
    planner_waive_files(&p->waivers, out->migration, p->plan);
    if (!p->request->has_compared_files)
        waivers_leave_files(&p->waivers);
    waivers_report_unused(p->a, &p->waivers, p->request->policy, &out->hazards);
    for (size_t i = before; i < out->hazards.count; i++)
        p->is_blocked |= out->hazards.at[i].level == HAZARD_BLOCK;
    out->verdict = p->is_blocked ? VERDICT_BLOCK : p->is_unknown ? VERDICT_UNKNOWN : VERDICT_PASS;
}

static bool plan_migration(const struct pass *shared, const struct migration *m,
                           struct planned_migration *out, struct fail *f)
{
    const struct plan_request *request = shared->request;
    SCOPED(script) struct script *script = scripts_ahead_take(shared->ahead, m, f);
    *out = (struct planned_migration){.migration = m, .class = CLASS_ADDITIVE};
    struct pass pass = *shared;
    SCOPED(arena) struct arena *scratch = arena_make();
    pass.scratch = scratch;
    pass.planned = out;
    pass.script = script;
    pass.grouping = grouping_start(request->dialect->engine, m->transaction);
    pass.enforcement = enforcement_start(pass.a, &out->enforcements);
    if (pass.postgres)
        postgres_analysis_migration(pass.postgres, m->path, m->transaction);
    else if (pass.sqlite)
        sqlite_analysis_migration(pass.sqlite, m->path);
    if (!script || !plan_script(&pass, f))
        return false;
    if (request->wants_statements) {
        out->is_analysed = true;
        if (pass.postgres)
            postgres_analysis_migration_end(pass.a, pass.postgres, &out->hazards);
        else
            sqlite_analysis_migration_end(pass.a, pass.sqlite, &out->hazards);
        end_verdict(&pass, out);
        planner_tell(&pass, ANALYSIS_TRANSACTION_ENDS);
    }
    out->unit_count = pass.grouping.unit;
    out->is_single = out->unit_count <= 1;
    if (digest_equal(&out->checksums.raw, &m->checksums.raw))
        return true;
    fail_set(f, EXIT_INTEGRITY, "%.*s was changed while it was being read", STR_ARG(m->path));
    return fail_hint(f, "Run again when nothing writes to it.");
}

static void digest_number(struct digest_stream *d, uint64_t number)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)number);
    digest_add(d, (struct str){text, (size_t)len});
}

static void digest_online(struct digest_stream *d, const struct online_forms *forms)
{
    for (size_t i = 0; i < forms->count; i++) {
        const struct online_form *form = forms->at[i].form;
        digest_number(d, forms->at[i].statement);
        for (size_t k = 0; k < form->steps.count; k++) {
            digest_number(d, form->steps.at[k].sql.len);
            digest_add(d, form->steps.at[k].sql);
        }
    }
}

/* Over all that decides what will be sent, behind which history. */
static struct digest plan_digest(const struct plan *plan, struct str history_head)
{
    struct digest_stream *d = digest_start();
    digest_add(d, STR("migrate plan 1\n"));
    digest_add(d, str_of(engine_name(plan->engine)));
    digest_add(d, history_head);
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *p = &plan->migrations[i];
        digest_add(d, STR("\n"));
        digest_add(d, p->migration->version);
        digest_add(d, STR("\n"));
        digest_add(d, p->migration->script);
        digest_add(d, STR("\n"));
        digest_add(d, digest_str(&p->checksums.raw));
        digest_add(d, STR("\n"));
        digest_number(d, p->statement_count);
        digest_number(d, p->unit_count);
        digest_number(d, p->wait_unit);
        digest_number(d, p->again_unit);
        digest_number(d, (uint64_t)p->migration->transaction);
        digest_online(d, &p->online);
    }
    return digest_finish(d);
}

bool plan_make(struct arena *a, const struct plan_request *request, struct plan *out,
               struct fail *f)
{
    *out = (struct plan){.engine = request->dialect->engine, .count = request->count};
    out->migrations = arena_array(a, struct planned_migration, request->count + 1);
    SCOPED(sqlite_analysis) struct sqlite_analysis *sqlite = NULL;
    SCOPED(postgres_analysis) struct postgres_analysis *postgres = NULL;
    size_t room = KEEP_ALL_BYTES;
    struct pass shared = {.a = a, .request = request, .plan = out, .room = &room};
    planner_open_begin(&shared);
    if (!planner_take_files(a, request, out, f))
        return false;
    if (out->engine == ENGINE_SQLITE && request->wants_statements) {
        sqlite = shared.sqlite = planner_open_sqlite(a, request, out, f);
        if (!sqlite)
            return false;
    } else if (request->wants_statements) {
        postgres = shared.postgres =
            postgres_analysis_open(a, request->catalog, request->server_version, request->policy);
        if (request->is_for_run)
            postgres_analysis_forget_files(postgres);
        if (request->schema_path.len && !planner_fold_schema(a, request, shared.postgres, out, f))
            return false;
    }
    if (request->before_count && request->wants_statements)
        planner_fold_before(a, request, postgres, sqlite, out);
    const struct script_context context = {
        .dialect = request->dialect,
        .server_version = request->server_version,
        .wants_analysis = request->wants_statements,
        .is_recorded = request->is_for_run,
        .record = request->record,
        .placeholders = request->placeholders,
        .placeholder_count = request->placeholder_count,
    };
    /* A run waits for the server, not for the parser: there memory counts. */
    SCOPED(scripts_ahead)
    struct scripts_ahead *ahead = scripts_ahead_start(
        request->migrations, request->is_for_run ? 0 : request->count, &context);
    shared.ahead = ahead;
    for (size_t i = 0; i < request->count; i++) {
        const struct migration *m = request->migrations[i];
        if (m->is_opaque)
            BUG("a migration written as code was to be planned");
        shared.begun = request->begun ? request->begun[i] : NULL;
        if (!plan_migration(&shared, m, &out->migrations[i], f))
            return false;
        planner_open_add(&shared, &out->migrations[i]);
    }
    out->digest = plan_digest(out, request->history_head);
    return true;
}
