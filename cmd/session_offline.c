/*
 * What takes the place of a database with --offline: the engine that a URL would tell, the version that
 * a server would, and the schema of --schema.
 */
#include "cmd/session.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "planner/planner.h"

/* "16", "16.2" and "160002" are one server's. */
static bool read_server_version(const char *text, uint32_t *out)
{
    struct str major;
    struct str whole = str_of(text);
    struct str minor = str_cut(whole, '.', &major);
    bool has_minor = major.len < whole.len;
    uint64_t number;
    uint64_t small = 0;
    if (!str_to_u64(major, &number) || (has_minor && !str_to_u64(minor, &small)))
        return false;
    if (!has_minor && number >= 100000 && number < 1000000) {
        *out = (uint32_t)number;
        return true;
    }
    *out = (uint32_t)(number * 10000 + small);
    return number >= 10 && number < 100 && small < 100;
}

/* "3.30" and "3.30.1": as sqlite3_libversion_number() has them. */
static bool read_sqlite_version(const char *text, uint32_t *out)
{
    enum { MAJOR = 1000000, MINOR = 1000 };
    struct str major;
    struct str minor;
    struct str rest = str_cut(str_of(text), '.', &major);
    rest = str_cut(rest, '.', &minor);
    uint64_t small = 0;
    uint64_t patch = 0;
    if (!str_equal(major, STR("3")) || !str_to_u64(minor, &small) ||
        (rest.len && !str_to_u64(rest, &patch)) || small >= MINOR || patch >= MINOR)
        return false;
    *out = (uint32_t)(3 * MAJOR + small * MINOR + patch);
    return true;
}

static bool check_rewrite(const char *word, struct fail *f)
{
    if (!word || strcmp(word, "auto") == 0 || strcmp(word, "suggest") == 0 ||
        strcmp(word, "off") == 0)
        return true;
    fail_set(f, EXIT_USAGE, "--rewrite takes auto, suggest or off, not \"%s\"", word);
    return fail_hint(f, "For example: --rewrite off");
}

bool session_check_offline(const struct options *o, struct fail *f)
{
    uint32_t version;
    if (!check_rewrite(o->rewrite, f))
        return false;
    if (o->server_version && !read_server_version(o->server_version, &version) &&
        !read_sqlite_version(o->server_version, &version)) {
        fail_set(f, EXIT_USAGE,
                 "--server-version takes a version of PostgreSQL or SQLite, not \"%s\"",
                 o->server_version);
        return fail_hint(f, "For example: --server-version 16, 16.2 or 160002; 3.30 for SQLite");
    }
    if (o->server_version && !o->offline) {
        fail_set(f, EXIT_USAGE, "--server-version goes with --offline");
        return fail_hint(f, "A connected server says its version itself.");
    }
    if (o->snapshot && !o->offline) {
        fail_set(f, EXIT_USAGE, "--snapshot goes with --offline");
        return fail_hint(f, "A connected database is looked at itself.");
    }
    if (o->snapshot && o->schema) {
        fail_set(f, EXIT_USAGE, "--snapshot and --schema exclude each other");
        return fail_hint(f, "Each says what was there before: give one of them.");
    }
    if (o->schema && !o->offline) {
        fail_set(f, EXIT_USAGE, "--schema goes with --offline");
        return fail_hint(f, "A connected database has its own.");
    }
    return true;
}

void session_take_server_version(struct session *s)
{
    const char *given = s->options->server_version;
    bool is_sqlite = s->url.engine == ENGINE_SQLITE;
    bool is_read = given && (is_sqlite ? read_sqlite_version(given, &s->server.version_number)
                                       : read_server_version(given, &s->server.version_number));
    if (given && !is_read)
        log_line(LOG_NOTE, "--server-version %s is no version of %s: left aside", given,
                 is_sqlite ? "SQLite" : "PostgreSQL");
}

/* A URL that cannot be made up here may still begin with its scheme. */
static bool begins_as_sqlite(struct session *s, struct str url)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct target_url parsed;
    return !str_starts(url, STR("$")) &&
           target_url_parse(s->arena, url, ENGINE_UNKNOWN, &parsed, &ignored) &&
           parsed.engine == ENGINE_SQLITE;
}

void session_find_offline_url(struct session *s, const struct config_target *target,
                              config_lookup *lookup)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE; /* it need not lead anywhere */
    const char *teller = NULL;
    s->url_text = (struct str){0};
    if (s->options->engine)
        return;
    if (target && target->url.text.len) {
        teller = arena_printf(s->arena, "target \"%.*s\"", STR_ARG(target->name));
        if (!config_target_url(s->arena, &s->config, target, lookup, NULL, &s->url_text, &ignored))
            s->url_text = begins_as_sqlite(s, target->url.text) ? STR("sqlite:offline") : STR("");
    } else {
        const char *names[] = {"MIGRATE_URL", "DATABASE_URL"};
        for (size_t i = 0; i < ARRAY_LEN(names) && !s->url_text.len; i++) {
            const char *url = lookup(NULL, names[i]);
            s->url_text = str_of(url ? url : "");
            teller = names[i];
        }
    }
    if (s->url_text.len)
        log_line(LOG_NOTE, "offline: %s tells the engine", teller);
    else
        log_line(LOG_NOTE, "offline: no URL tells the engine, so it is PostgreSQL; "
                           "for SQLite give --engine sqlite");
}

/* Data are no schema, and may be large. */
static bool is_data(const struct statement *st)
{
    return st->is_copy_from_stdin || strcmp(st->kind, "INSERT") == 0;
}

static bool skip_copy_data(struct script *script, struct fail *f)
{
    struct str piece = {0};
    do {
        if (!script_copy_data(script, &piece, f))
            return false;
    } while (piece.len);
    return true;
}

bool session_read_schema(struct session *s, struct fail *f)
{
    if (!s->options->schema || s->url.engine == ENGINE_POSTGRES)
        return true; /* the planner folds it itself */
    struct migration file = {
        .path = str_of(s->options->schema),
        .up = {.to = UINT64_MAX},
    };
    struct script_context how = session_script_context(s, true);
    how.placeholder_count = 0;
    SCOPED(script) struct script *script = script_open(&file, false, &how, f);
    if (!script)
        return fail_hint(f, "--schema names a file of SQL, as pg_dump -s prints.");
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, f))
            return false;
        for (size_t i = 0; i < batch.count; i++) {
            const struct statement *st = &batch.statements[i];
            if (is_data(st))
                continue;
            vec_push(s->arena, &s->schema_texts, arena_str(s->arena, st->text));
            vec_push(s->arena, &s->schema_lines, st->line);
        }
        if (batch.count && batch.statements[batch.count - 1].is_copy_from_stdin &&
            !skip_copy_data(script, f))
            return false;
    }
    return true;
}

/* Snapshots of a hundred thousand tables are smaller. */
#define SNAPSHOT_MAX_BYTES ((size_t)1 << 30)

static bool read_snapshot(struct session *s, struct catalog **out, struct fail *f)
{
    struct str text;
    if (s->url.engine != ENGINE_POSTGRES) {
        fail_set(f, EXIT_USAGE, "--snapshot is for PostgreSQL");
        return fail_hint(f, "For SQLite give --schema, or a copy of the file.");
    }
    SCOPED(arena) struct arena *scratch = arena_make();
    if (!fs_read(scratch, s->options->snapshot, SNAPSHOT_MAX_BYTES, &text, f))
        return fail_hint(f, "--snapshot names a file that `migrate snapshot` wrote.");
    *out = catalog_read(s->arena, text, str_of(s->options->snapshot), f);
    if (*out && !s->server.version_number)
        s->server.version_number = (*out)->server_version;
    return *out != NULL;
}

bool session_read_catalog(struct session *s, struct catalog **out, struct fail *f)
{
    *out = NULL;
    if (s->options->snapshot)
        return read_snapshot(s, out, f);
    if (!s->connection || !s->driver->read_catalog)
        return true;
    *out = s->driver->read_catalog(s->arena, s->connection, f);
    for (size_t i = 0; *out && i < (*out)->left_out.count; i++)
        log_line(LOG_WARN, "not read: %.*s", STR_ARG((*out)->left_out.at[i]));
    return *out != NULL;
}

void session_warn_of_schema(const struct session *s, const struct schema_left_out *one)
{
    if (one->path.len) {
        log_line(LOG_WARN, "%.*s:%u: left out of what is merged: %s", STR_ARG(one->path), one->line,
                 one->why ? one->why : "the parser does not know it");
        return;
    }
    log_line(LOG_WARN, "%s:%u: left out of the schema: %s", s->options->schema,
             one->line ? one->line : s->schema_lines.at[one->index],
             one->why ? one->why : "the parser does not know it");
}
