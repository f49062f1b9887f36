/*
 * The second half of a session: files against history, what this call may run, the plan, and who
 * runs it.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "drivers/source/directory.h"
#include "drivers/source/git.h"
#include "planner/planner.h"

#include <pwd.h>
#include <unistd.h>

static struct str session_record_name(const struct session *s)
{
    return s->history_name.len ? s->history_name : STR("migrator");
}

struct script_context session_script_context(struct session *s, bool wants_analysis)
{
    return (struct script_context){
        .dialect = dialect_for(s->url.engine),
        .server_version = s->server.version_number,
        .wants_analysis = wants_analysis,
        .record = session_record_name(s),
        .placeholders = s->placeholders.at,
        .placeholder_count = s->placeholders.count,
    };
}

/* Flyway's built-in placeholders, for the scripts that may use them: once, before the first script is
   read. */
static void add_builtin_placeholders(struct session *s)
{
    if (s->migrations.layout != LAYOUT_FLYWAY || s->has_builtin_placeholders)
        return;
    s->has_builtin_placeholders = true;
    char here[4096];
    const struct {
        struct str name;
        const char *value;
    } builtins[] = {
        {STR("flyway:user"), s->server.role},
        {STR("flyway:database"), s->server.database},
        {STR("flyway:defaultSchema"), s->url.search_path ? s->url.search_path : "public"},
        {STR("flyway:table"), "history"},
        {STR("flyway:environment"), arena_cstr(s->arena, s->target_name)},
        {STR("flyway:timestamp"), clock_iso(s->arena, clock_wall_us())},
        {STR("flyway:workingDirectory"), getcwd(here, sizeof(here)) ? here : ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(builtins); i++) {
        struct placeholder p = {builtins[i].name, arena_str(s->arena, str_of(builtins[i].value))};
        vec_push(s->arena, &s->placeholders, p);
    }
}

/* For files whose bytes differ from what was applied: how much do they differ?
 */
bool session_read_digests(void *context, const struct migration *m, struct checksums *out,
                          struct fail *f)
{
    struct session *s = context;
    if (m->is_opaque)
        return source_normalized_digest(m, &out->normalized, f);
    struct script_context how = session_script_context(s, false);
    SCOPED(fail)
    struct fail ignored = FAIL_NONE; /* broken SQL is a changed file, not an error here */
    SCOPED(script) struct script *script = script_open(m, false, &how, &ignored);
    struct script_batch batch = {.count = 1};
    while (script && batch.count && script_next(script, &batch, &ignored)) {
        struct str piece = {.len = 1};
        const struct statement *last = batch.count ? &batch.statements[batch.count - 1] : NULL;
        while (last && last->is_copy_from_stdin && piece.len) {
            if (!script_copy_data(script, &piece, &ignored))
                break;
        }
        if (fail_is_set(&ignored))
            break;
    }
    if (script && !fail_is_set(&ignored) && script_finish(script, out, &ignored))
        return true;
    return source_normalized_digest(m, &out->normalized, f);
}

bool session_reconcile(struct session *s, struct reconciliation *out, struct fail *f)
{
    add_builtin_placeholders(s);
    return reconcile(s->arena, &s->migrations, &s->history, session_read_digests, s, out, f);
}

bool session_check_record(struct session *s, struct fail *f)
{
    bool is_proved = s->proved_head.len && str_equal(s->proved_head, s->history.head_digest);
    if (!s->history.exists || is_proved)
        return true;
    struct verification v;
    if (!verification_run(s->arena, s->driver, s->connection, &s->history, (struct str){0}, &v,
                          f) ||
        !verification_check(&v, f))
        return false;
    s->proved_head = s->history.head_digest;
    s->is_first_run = v.is_first_run;
    return true;
}

static bool is_behind(const struct session *s, const struct migration *m, struct str to)
{
    return m->kind == MIGRATION_REPEATABLE ||
           version_compare(s->migrations.order, m->version, to) > 0;
}

static bool check_to(const struct session *s, struct fail *f)
{
    if (!s->options->to)
        return true;
    for (size_t i = 0; i < s->migrations.count; i++) {
        if (s->migrations.at[i].kind != MIGRATION_REPEATABLE &&
            version_compare(s->migrations.order, s->migrations.at[i].version,
                            str_of(s->options->to)) == 0)
            return true;
    }
    fail_set(f, EXIT_USAGE, "there is no migration with version \"%s\"", s->options->to);
    return fail_hint(f, "`migrate status` lists the versions.");
}

bool session_select(struct session *s, const struct reconciliation *r, struct selection *out,
                    struct fail *f)
{
    if (!check_to(s, f))
        return false;
    *out = (struct selection){
        .migrations = arena_array(s->arena, const struct migration *, r->pending + 1),
        .rows = arena_array(s->arena, const struct history_row *, r->pending + 1),
    };
    int64_t most = s->options->steps ? s->options->steps : INT64_MAX;
    for (size_t i = 0; i < r->count && (int64_t)out->count < most; i++) {
        const struct reconciled *one = &r->at[i];
        bool is_opaque = one->state == STATE_OPAQUE;
        if ((!reconciled_is_pending(one) && !is_opaque) ||
            (s->options->to && is_behind(s, one->migration, str_of(s->options->to))))
            continue;
        if (is_opaque) {
            out->opaque = one;
            break;
        }
        out->migrations[out->count] = one->migration;
        out->rows[out->count++] = one->state == STATE_INCOMPLETE ? one->row : NULL;
    }
    return true;
}

bool session_refuse_opaque(const struct selection *selection, struct fail *f)
{
    const struct reconciled *one = selection->opaque;
    if (!one)
        return true;
    SCOPED(arena) struct arena *a = arena_make();
    struct str label = migration_label(one->migration);
    fail_set(f, EXIT_INTEGRITY, "%s", reconciled_sentence(a, one));
    fail_detail(f, "An apply that comes to it stops before it runs anything.");
    if (selection->count) {
        struct str last = migration_label(selection->migrations[selection->count - 1]);
        fail_hint(f, "Apply what is before it: migrate apply --to %.*s", STR_ARG(last));
    }
    return fail_hint(f,
                     "Run it with its own tool, then record it: migrate resolve "
                     "%.*s --applied "
                     "--reason \"…\". Or rewrite it as SQL.",
                     STR_ARG(label));
}

bool session_select_pending(struct session *s, struct reconciliation *out,
                            struct selection *selection, struct fail *f)
{
    return session_check_record(s, f) && session_reconcile(s, out, f) &&
           reconciliation_check(out, s->options->allow_out_of_order, f) &&
           session_select(s, out, selection, f) && session_refuse_opaque(selection, f);
}

static bool asks_catalog(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->migrations[i].asks_catalog)
            return true;
    }
    return false;
}

static bool may_have_form(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->migrations[i].may_have_form)
            return true;
    }
    return false;
}

static bool take_schema(struct session *s, struct plan_request *request, struct fail *f);

/* A run on SQLite looks into its statements only where one of them may have an online form; on an empty
   database nobody waits. */
static bool plan_forms(struct session *s, struct plan_request *request, struct plan *out,
                       struct fail *f)
{
    if (request->rewrite != REWRITE_AUTO || !may_have_form(out) || !s->connection)
        return true;
    request->wants_statements = true;
    if (!take_schema(s, request, f))
        return false;
    s->is_first_run |= request->schema_count == 0;
    return s->is_first_run || plan_make(s->arena, request, out, f);
}

/* Without a catalog at first, where it costs a run time that it need not spend; with it where a pending
   statement asks for it. */
static bool make_plan(struct session *s, struct plan_request *request, struct plan *out,
                      struct fail *f)
{
    if (!plan_make(s->arena, request, out, f))
        return false;
    if (s->url.engine == ENGINE_SQLITE && request->is_for_run)
        return plan_forms(s, request, out, f);
    if (request->wants_statements || s->url.engine != ENGINE_POSTGRES || !asks_catalog(out))
        return true;
    request->wants_statements = true;
    request->rewrite = REWRITE_OFF;
    return (request->catalog || session_read_catalog(s, &request->catalog, f)) &&
           plan_make(s->arena, request, out, f);
}

static bool ask_syntax(void *session, struct arena *a, struct str text, struct syntax_verdict *out,
                       struct fail *f)
{
    struct session *s = session;
    return s->driver->check_syntax(a, s->connection, text, out, f);
}

/* The target's server, where there is one that can be asked. */
static const struct syntax_judge *syntax_judge(struct session *s)
{
    if (!s->connection || !s->driver->check_syntax)
        return NULL;
    uint32_t version = s->server.version_number;
    struct syntax_judge *judge = arena_new(s->arena, struct syntax_judge);
    *judge = (struct syntax_judge){
        .server = arena_printf(s->arena, "PostgreSQL %u.%u", version / 10000, version % 10000),
        .ask = ask_syntax,
        .context = s,
    };
    return judge;
}

static int64_t count_rows(void *session, struct str table, int64_t most)
{
    struct session *s = session;
    SCOPED(fail) struct fail ignored = FAIL_NONE; /* not known, then */
    int64_t rows = -1;
    return s->driver->count_rows(s->connection, table, most, &rows, &ignored) ? rows : -1;
}

static const struct row_counter *row_counter(struct session *s)
{
    if (!s->connection || !s->driver->count_rows)
        return NULL;
    struct row_counter *counter = arena_new(s->arena, struct row_counter);
    *counter = (struct row_counter){.count = count_rows, .context = s};
    return counter;
}

/* Which statements may get an online form, and what must be known for that: into the request. */
static bool choose_forms(struct session *s, const struct selection *selection,
                         struct plan_request *request, struct fail *f)
{
    const struct online_begun **begun;
    struct online_open *open;
    if (!session_rewrite_mode(s, &request->rewrite, f) ||
        !session_read_begun(s, selection, &begun, f) ||
        !session_read_open(s, &open, &request->open_count, f))
        return false;
    request->begun = begun;
    request->open = open;
    /* A run looks for online forms, and for the tables that it must have for itself. */
    bool is_looked_into = request->wants_statements || s->url.engine == ENGINE_POSTGRES;
    if (is_looked_into && !session_read_catalog(s, &request->catalog, f))
        return false;
    if (request->catalog && s->connection)
        s->is_first_run |= !session_has_tables(s, request->catalog);
    if (s->is_first_run || s->is_as_written ||
        (request->is_for_run && request->rewrite != REWRITE_AUTO))
        request->rewrite = REWRITE_OFF; /* on an empty database nobody waits */
    if (request->is_for_run)
        request->wants_statements = is_looked_into && session_has_tables(s, request->catalog);
    return true;
}

static bool take_schema(struct session *s, struct plan_request *request, struct fail *f)
{
    static const struct str nothing[1]; /* known to be empty */
    if (request->wants_statements && s->connection) {
        struct str *texts;
        if (!s->driver->read_schema(s->arena, s->connection, &texts, &request->schema_count, f))
            return false;
        request->schema_texts = texts ? texts : nothing;
    } else if (s->is_absent) {
        request->schema_texts = nothing;
    }
    if (s->options->schema && s->url.engine == ENGINE_POSTGRES) {
        request->schema_path = str_of(s->options->schema);
    } else if (s->options->schema) {
        request->schema_texts = s->schema_texts.count ? s->schema_texts.at : nothing;
        request->schema_count = s->schema_texts.count;
    }
    return true;
}

bool session_plan(struct session *s, const struct selection *selection, bool wants_statements,
                  struct plan *out, struct fail *f)
{
    struct hazard_policy policy;
    bool is_for_run = !wants_statements;
    add_builtin_placeholders(s);
    struct plan_request request = {
        .migrations = selection->migrations,
        .count = selection->count,
        .before = selection->before,
        .before_count = selection->before_count,
        .dialect = dialect_for(s->url.engine),
        .server_version = s->server.version_number,
        .placeholders = s->placeholders.at,
        .placeholder_count = s->placeholders.count,
        .record = session_record_name(s),
        .history_head = s->history.head_digest,
        .wants_statements = wants_statements,
        .is_for_run = is_for_run,
        .is_lenient = s->options->offline,
        .files = selection->files.at,
        .file_count = selection->files.count,
        .has_compared_files = selection->has_compared_files,
        .policy = &policy,
        .counter = row_counter(s),
        .syntax = is_for_run ? NULL : syntax_judge(s), /* the answer is for who reads the plan */
    };
    if (!session_policy(s, &policy, f) || !choose_forms(s, selection, &request, f) ||
        !take_schema(s, &request, f) || !make_plan(s, &request, out, f))
        return false;
    for (size_t i = 0; i < out->left_out.count; i++) {
        const struct schema_left_out *one = &out->left_out.at[i];
        if (one->path.len || s->options->schema)
            session_warn_of_schema(s, one);
    }
    return true;
}

static const char *actor(struct arena *a)
{
    static const char *const names[] = {"MIGRATE_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN",
                                        "BUILDKITE_BUILD_CREATOR", "SUDO_USER"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value && value[0])
            return value;
    }
    struct passwd entry;
    struct passwd *found = NULL;
    char room[4096];
    if (getpwuid_r(getuid(), &entry, room, sizeof(room), &found) == 0 && found)
        return arena_cstr(a, str_of(found->pw_name));
    return arena_printf(a, "uid %u", (unsigned)getuid());
}

struct run_identity session_identity(struct session *s)
{
    struct run_identity who = {
        .run = s->run,
        .actor = actor(s->arena),
        .db_role = s->server.role ? s->server.role : "",
        .git_commit = "",
        .git_author = "",
        .clock_offset_us = s->server.clock_offset_us,
    };
    char host[256] = "";
    (void)gethostname(host, sizeof(host) - 1);
    who.host = arena_cstr(s->arena, str_of(host));
    SCOPED(fail) struct fail ignored = FAIL_NONE; /* no repository is no failure */
    struct git_place place = {0};
    if (s->migrations.count &&
        git_describe_place(s->arena, arena_cstr(s->arena, s->migrations.at[0].path), &place,
                           &ignored) &&
        place.is_repository) {
        who.git_commit = place.commit ? place.commit : "";
        who.git_author = place.author ? place.author : "";
    }
    return who;
}
