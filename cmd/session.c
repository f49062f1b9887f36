/*
 * Configuration is looked for in the current directory and above it, up to the root of the
 * repository; outside a repository only in the current directory, for what is above it may belong to
 * anyone (/tmp). A URL comes from --url, the target, MIGRATE_URL, DATABASE_URL, and last from libpq's own
 * defaults.
 */
#include "cmd/session.h"

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/vec.h"
#include "drivers/drivers.h"
#include "drivers/source/directory.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define CONFIG_NAME "migrator.yml"
#define CONFIG_MAX_BYTES ((size_t)1 << 20)

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

bool session_late_value(struct session *s, const struct config_late *value, const char *what,
                        struct str *out, struct fail *f)
{
    return config_late_value(s->arena, &s->config, value, what, environment, NULL, out, f);
}

/* NAME=value lines, # comments, an optional "export ", values in single or double quotes as they are. */
static bool read_env_file(struct arena *a, const char *path, struct fail *f)
{
    struct str text;
    if (!fs_read(a, path, CONFIG_MAX_BYTES, &text, f))
        return fail_hint(f, "--env-file names a file of NAME=value lines.");
    uint32_t number = 0;
    while (text.len) {
        struct str line;
        text = str_cut_line(text, &line);
        number++;
        line = str_trim(line);
        if (str_starts(line, STR("export ")))
            line = str_trim(str_skip(line, 7));
        if (!line.len || line.at[0] == '#')
            continue;
        struct str name;
        struct str value = str_trim(str_cut(line, '=', &name));
        if (name.len == line.len || !str_trim(name).len) {
            fail_set(f, EXIT_USAGE, "this line is not NAME=value");
            fail_at(f, str_of(path), number, 1, (struct str){0}); /* the line may hold a secret */
            return fail_hint(f, "Write NAME=value, or begin the line with #.");
        }
        bool is_quoted = value.len >= 2 && (value.at[0] == '"' || value.at[0] == '\'') &&
                         value.at[value.len - 1] == value.at[0];
        if (is_quoted)
            value = (struct str){value.at + 1, value.len - 2};
        setenv(arena_cstr(a, str_trim(name)), arena_cstr(a, value), 0);
    }
    return true;
}

/* Here, or above, up to the root of the repository, if there is one; as a path relative to here. */
static const char *find_config(struct arena *a)
{
    char *here = getcwd(NULL, 0);
    if (!here)
        return NULL;
    struct str directory = arena_str(a, str_of(here));
    const char *path = CONFIG_NAME;
    const char *found = NULL;
    free(here);
    if (fs_exists(path))
        return path;
    while (!fs_exists(fs_join(a, directory, STR(".git")))) {
        if (directory.len <= 1)
            return NULL;
        directory = fs_dirname(directory);
        path = arena_printf(a, "../%s", path);
        if (!found && fs_exists(path))
            found = path;
    }
    return found;
}

static bool read_config(struct session *s, struct fail *f)
{
    const struct options *o = s->options;
    const char *path = o->config ? o->config : find_config(s->arena);
    s->config = config_default();
    if (!path)
        return true;
    struct str text;
    if (!fs_read(s->arena, path, CONFIG_MAX_BYTES, &text, f))
        return fail_hint(f, "-c names the configuration; `migrate init` makes one.");
    return config_parse(s->arena, text, str_of(path), environment, NULL, &s->config, f);
}

static bool refuse_target(const struct session *s, struct fail *f)
{
    const struct config *c = &s->config;
    SCOPED(buf) struct buf names = {0};
    for (size_t i = 0; i < c->targets.count; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(c->targets.at[i].name));
    if (c->targets.count)
        fail_detail(f, "The targets are: %s.", buf_cstr(&names));
    if (c->targets.count == 0)
        return fail_hint(f, "Define it under targets: in migrator.yml, or give --url.");
    return fail_hint(f, "Name one of them with --target.");
}

static bool find_target(const struct session *s, const struct config_target **out, struct fail *f)
{
    const struct config *c = &s->config;
    struct str name = s->options->target ? str_of(s->options->target) : c->default_target;
    *out = NULL;
    if (!name.len && c->targets.count == 1)
        *out = &c->targets.at[0];
    for (size_t i = 0; name.len && i < c->targets.count; i++) {
        if (str_equal(c->targets.at[i].name, name))
            *out = &c->targets.at[i];
    }
    if (*out || (!name.len && c->targets.count == 0))
        return true;
    if (!name.len)
        fail_set(f, EXIT_USAGE, "migrator.yml has %zu targets and none was named",
                 c->targets.count);
    else
        fail_set(f, EXIT_USAGE, "there is no target \"%.*s\"", STR_ARG(name));
    return refuse_target(s, f);
}

static bool find_url(struct session *s, struct fail *f)
{
    const struct options *o = s->options;
    const struct config_target *target = NULL;
    if (o->offline && o->engine && !o->url && !o->target)
        return true; /* nothing else is asked of a database */
    if (o->url && o->target) {
        fail_set(f, EXIT_USAGE, "--url and --target exclude each other");
        return fail_hint(f, "Give one of them.");
    }
    if (!o->url && !find_target(s, &target, f))
        return false;
    if (target)
        s->history_name = target->history;
    s->target_name = target ? target->name : (struct str){0};
    if (o->url) {
        s->url_text = str_of(o->url);
        return true;
    }
    if (o->offline) {
        session_find_offline_url(s, target, environment);
        return true;
    }
    if (target) {
        if (!config_target_url(s->arena, &s->config, target, environment, NULL, &s->url_text, f))
            return false;
        if (s->url_text.len)
            return true;
    }
    const char *from = getenv("MIGRATE_URL");
    if (!from || !from[0])
        from = getenv("DATABASE_URL");
    s->url_is_from_environment = from && from[0];
    s->url_text = str_of(from ? from : "");
    return true;
}

bool session_parse_url(struct session *s, struct fail *f)
{
    enum engine hint = ENGINE_UNKNOWN;
    if (s->options->engine) {
        hint = engine_of_name(str_of(s->options->engine));
        if (hint == ENGINE_UNKNOWN) {
            fail_set(f, EXIT_USAGE, "there is no engine \"%s\"", s->options->engine);
            return fail_hint(f, "Use --engine postgres or --engine sqlite.");
        }
    }
    bool needs_no_url = s->options->offline && hint != ENGINE_UNKNOWN && !s->url_text.len;
    if (needs_no_url)
        s->url = (struct target_url){.engine = hint, .safe = "offline"};
    else if (!target_url_parse(s->arena, s->url_text, hint, &s->url, f))
        return false;
    for (size_t i = 0; i < s->url.note_count; i++)
        log_line(LOG_NOTE, "%s", s->url.notes[i]);
    s->driver = driver_for(s->url.engine);
    return true;
}

static void add_placeholder(struct session *s, struct str name, struct str value)
{
    vec_push(s->arena, &s->placeholders, (struct placeholder){name, value});
}

static bool read_placeholders(struct session *s, struct fail *f)
{
    const struct text_list *given = &s->options->placeholders;
    for (size_t i = 0; i < given->count; i++) {
        struct str name;
        struct str text = str_of(given->at[i]);
        struct str value = str_cut(text, '=', &name);
        if (name.len == text.len || !name.len) {
            fail_set(f, EXIT_USAGE, "--placeholder takes NAME=VALUE, not \"%s\"", given->at[i]);
            return fail_hint(f, "For example: --placeholder schema=app");
        }
        add_placeholder(s, name, value);
    }
    for (size_t i = 0; i < s->config.placeholders.count; i++)
        add_placeholder(s, s->config.placeholders.at[i].name, s->config.placeholders.at[i].value);
    return true;
}

bool session_start(struct arena *a, const struct options *o, struct session *s, struct fail *f)
{
    *s = (struct session){.arena = a, .options = o};
    s->run = digest_random_id(a);
    if (o->env_file && !read_env_file(a, o->env_file, f))
        return false;
    return read_config(s, f) && find_url(s, f) && session_parse_url(s, f) &&
           read_placeholders(s, f);
}

bool session_start_files(struct arena *a, const struct options *o, struct session *s,
                         struct fail *f)
{
    *s = (struct session){.arena = a, .options = o};
    if (o->env_file && !read_env_file(a, o->env_file, f))
        return false;
    return read_config(s, f);
}

/* Where migrations usually live, when nothing says where. */
static const char *const usual_directories[] = {
    "migrations",
    "db/migrations",
    "prisma/migrations",
    "drizzle",
    "src/main/resources/db/migration",
    "sql/migrations",
};

static bool find_directories(const struct session *s, struct arena *a, struct str **out,
                             size_t *out_count, struct fail *f)
{
    const struct text_list *given = &s->options->dirs;
    *out_count = given->count ? given->count : s->config.migrations.count;
    *out = arena_array(a, struct str, *out_count + 1);
    for (size_t i = 0; i < *out_count; i++)
        (*out)[i] = given->count ? str_of(given->at[i]) : s->config.migrations.at[i];
    for (size_t i = 0; !*out_count && i < ARRAY_LEN(usual_directories); i++) {
        if (fs_is_directory(usual_directories[i])) {
            (*out)[0] = str_of(usual_directories[i]);
            *out_count = 1;
        }
    }
    if (*out_count)
        return true;
    fail_set(f, EXIT_USAGE, "no migrations directory was given");
    return fail_hint(f, "Give it with --dir, or as migrations: in migrator.yml "
                        "(`migrate init` makes both).");
}

bool session_first_directory(struct session *s, struct str *out, struct fail *f)
{
    struct str *directories;
    size_t count;
    if (!find_directories(s, s->arena, &directories, &count, f))
        return false;
    *out = directories[0];
    return true;
}

/* The layout that looks most like the word, or all of them. */
static bool hint_layout(struct str word, struct fail *f)
{
    SCOPED(buf) struct buf names = {0};
    size_t best_distance = word.len / 3 + 2;
    const char *best = NULL;
    for (int l = LAYOUT_AUTO; l < LAYOUT_MAX; l++) {
        const char *name = layout_name((enum layout)l);
        size_t distance = text_edit_distance(word, str_of(name));
        buf_printf(&names, "%s%s", l ? ", " : "", name);
        if (distance < best_distance) {
            best_distance = distance;
            best = name;
        }
    }
    if (best)
        return fail_hint(f, "Did you mean --layout %s?", best);
    return fail_hint(f, "The layouts are: %s.", buf_cstr(&names));
}

bool session_find_source(struct session *s, struct arena *a, struct source_request *out,
                         struct fail *f)
{
    enum layout layout = s->config.layout;
    if (s->options->layout && !layout_of_name(str_of(s->options->layout), &layout)) {
        fail_set(f, EXIT_USAGE, "there is no layout \"%s\"", s->options->layout);
        return hint_layout(str_of(s->options->layout), f);
    }
    struct str *directories;
    size_t count;
    if (!find_directories(s, a, &directories, &count, f))
        return false;
    *out = (struct source_request){
        .directories = directories,
        .count = count,
        .layout = layout,
        .engine = s->url.engine,
    };
    return true;
}

/* Reads into an arena of the caller's choice: the session's own, or that of a
 * thread. */
static bool read_directories(struct session *s, struct arena *a, struct migrations *out,
                             struct fail *f)
{
    struct source_request request;
    return session_find_source(s, a, &request, f) && directory_read(a, &request, out, f);
}

void session_take_placeholders(struct session *s)
{
    for (size_t i = 0; i < s->migrations.placeholders.count; i++)
        add_placeholder(s, s->migrations.placeholders.at[i].name,
                        s->migrations.placeholders.at[i].value);
}

bool session_read_migrations(struct session *s, struct fail *f)
{
    if (!read_directories(s, s->arena, &s->migrations, f))
        return false;
    session_take_placeholders(s);
    return true;
}

struct reading {
    struct session *session;
    struct arena *arena;
    struct migrations migrations;
    struct fail fail;
    bool is_done;
};

static void *read_in_thread(void *argument)
{
    struct reading *r = argument;
    r->is_done = read_directories(r->session, r->arena, &r->migrations, &r->fail);
    return NULL;
}

/* How much of the history is read with the connection. */
enum opening { OPEN_TO_READ, OPEN_TO_WRITE, OPEN_TO_RUN };

static bool open_target(struct session *s, enum opening opening, struct fail *f)
{
    if (opening == OPEN_TO_READ)
        return session_connect_or_empty(s, f);
    if (!session_connect(s, false, f))
        return false;
    if (opening == OPEN_TO_WRITE || !s->driver->read_applied)
        return session_read_history(s, f);
    return s->driver->read_applied(s->arena, s->connection, &s->history, f) &&
           s->driver->identity(s->arena, s->connection, &s->server, f);
}

static bool open_both(struct session *s, enum opening opening, struct fail *f)
{
    struct reading r = {.session = s, .arena = arena_make()};
    pthread_t thread;
    bool has_thread = pthread_create(&thread, NULL, read_in_thread, &r) == 0;
    if (!has_thread)
        (void)read_in_thread(&r);
    bool is_open = open_target(s, opening, f);
    if (has_thread)
        pthread_join(thread, NULL);
    s->files_arena = r.arena;
    s->migrations = r.migrations;
    if (!r.is_done) { /* what is wrong with the files is said first: it needs no database */
        fail_clear(f);
        *f = r.fail;
        return false;
    }
    fail_clear(&r.fail);
    session_take_placeholders(s);
    return is_open;
}

bool session_open(struct session *s, bool is_read_only, struct fail *f)
{
    return open_both(s, is_read_only ? OPEN_TO_READ : OPEN_TO_WRITE, f);
}

bool session_open_for_run(struct session *s, bool *out_is_settled, struct fail *f)
{
    if (!open_both(s, OPEN_TO_RUN, f))
        return false;
    *out_is_settled = reconcile_is_settled(s->arena, &s->migrations, &s->history);
    return *out_is_settled || !s->driver->read_applied || session_read_history(s, f);
}

void session_print_notes(const struct session *s)
{
    if (s->is_absent)
        log_line(LOG_NOTE, "%s is not there yet: taken as an empty database", s->url.safe);
    for (size_t i = 0; i < s->migrations.notes.count; i++)
        log_line(LOG_WARN, "%.*s: %.*s", STR_ARG(s->migrations.notes.at[i].path),
                 STR_ARG(s->migrations.notes.at[i].text));
}

bool session_format(const struct options *o, enum output_format *out, struct fail *f)
{
    *out = FORMAT_TEXT;
    if (!o->format || strcmp(o->format, "text") == 0)
        return true;
    *out = FORMAT_JSON;
    if (strcmp(o->format, "json") == 0)
        return true;
    fail_set(f, EXIT_USAGE, "there is no format \"%s\" for this command", o->format);
    return fail_hint(f, "Use --format text or --format json.");
}
