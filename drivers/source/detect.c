/*
 * Detection: look, then choose. Two layouts that fit equally well are no matter when they would
 * read the files alike (plain, golang-migrate and sqlx do, for files without markers); otherwise a
 * person must say which is meant, since a guess could run the down part of every file.
 */
#include "drivers/source/detect.h"

#include "core/base/vec.h"
#include "drivers/source/flyway.h"

/* Files that are looked into, of each directory, spread evenly; and how much of each. */
#define SAMPLE_FILES 8
#define SAMPLE_BYTES ((size_t)16 << 10)
/* Sub-directories that are looked at, from the first name on. */
#define SAMPLE_DIRECTORIES 32
#define FLYWAY_SEARCH_DEPTH 3

/* One directory that is being looked at. */
struct looking {
    struct arena *a;
    struct str directory;
    const struct fs_entries *entries;
    struct flyway_settings settings;
    struct directory_view *view;
    struct {
        const char **at;
        size_t count, room;
    } files; /* with SQL in them: candidates for the sample */
};

static const char *path_in(const struct looking *l, struct str name)
{
    return fs_join(l->a, l->directory, name);
}

static void look_at_numbered(struct looking *l, const struct numbered_name *n, struct str name)
{
    l->view->numbered++;
    l->view->numbered_golang += golang_migrate_fits(n, name);
    l->view->numbered_sqlx += sqlx_fits(n, name);
    l->view->numbered_plain += plain_fits(n, name);
}

static bool is_flyway_name(struct arena *a, const struct flyway_settings *s, struct str name)
{
    switch (flyway_name_parse(a, s, name).kind) {
    case FLYWAY_VERSIONED:
    case FLYWAY_UNDO:
    case FLYWAY_REPEATABLE:
    case FLYWAY_BASELINE:
        return true;
    case FLYWAY_NONE:
    case FLYWAY_CALLBACK:
    case FLYWAY_MALFORMED:
        return false;
    }
    BUG("flyway kind out of range");
}

static bool is_liquibase_changelog(struct str name)
{
    static const char *const extensions[] = {"xml", "yaml", "yml", "json"};
    if (str_find(name, STR("changelog")) == SIZE_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
        if (str_equal_nocase(name_extension(name), str_of(extensions[i])))
            return true;
    return false;
}

/* Files that only one tool writes. */
static void look_for_telltale(struct looking *l, struct str name)
{
    static const struct {
        const char *name;
        const char *tool;
    } unread[] = {
        {"sqitch.plan", "Sqitch"},
        {"sqitch.conf", "Sqitch"},
        {".gmrc", "graphile-migrate"},
        {"dbconfig.yml", "sql-migrate"},
        {"liquibase.properties", "Liquibase"},
        {"script.py.mako", "Alembic"},
        {"alembic.ini", "Alembic"},
    };
    struct directory_view *v = l->view;
    v->has_prisma_lock |= str_equal(name, STR("migration_lock.toml"));
    v->has_flyway_settings |=
        str_equal(name, STR("flyway.toml")) || str_equal(name, STR("flyway.conf"));
    if (str_equal(name, STR("atlas.sum")))
        v->atlas_path = path_in(l, name);
    const char *tool = is_liquibase_changelog(name) ? "Liquibase" : NULL;
    for (size_t i = 0; i < ARRAY_LEN(unread); i++)
        if (str_equal(name, str_of(unread[i].name)))
            tool = unread[i].tool;
    if (tool && !v->unread_tool) {
        v->unread_tool = tool;
        v->unread_path = path_in(l, name);
    }
}

static void look_at_file(struct looking *l, struct str name)
{
    struct numbered_name n;
    look_for_telltale(l, name);
    bool is_numbered = numbered_name_parse(name, &n);
    bool is_sql = extension_is_sql(name_extension(name));
    bool is_code = extension_is_code(name_extension(name));
    if (is_sql)
        vec_push(l->a, &l->files, path_in(l, name));
    if (is_flyway_name(l->a, &l->settings, name))
        l->view->flyway_names++;
    else if (is_numbered && (is_sql || is_code))
        look_at_numbered(l, &n, name);
    else if (is_sql && !name_is_companion(name))
        l->view->unnumbered_sql++;
}

/* Whether a flyway name lies below, in directories that are not one of several for engines. */
static bool find_flyway_below(struct looking *l, const char *path, unsigned depth)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fs_entries entries;
    struct fail ignored = FAIL_NONE; /* what cannot be listed is reported when it is read */
    bool is_listed = fs_list(a, path, &entries, &ignored);
    fail_clear(&ignored);
    if (!is_listed)
        return false;
    for (size_t i = 0; i < entries.count; i++)
        if (!entries.at[i].is_directory && is_flyway_name(a, &l->settings, entries.at[i].name))
            return true;
    for (size_t i = 0; depth && i < entries.count && i < SAMPLE_DIRECTORIES; i++) {
        const struct fs_entry *e = &entries.at[i];
        if (e->is_directory && e->name.at[0] != '.' && !name_is_engine(e->name) &&
            find_flyway_below(l, fs_join(a, str_of(path), e->name), depth - 1))
            return true;
    }
    return false;
}

static void look_at_directory(struct looking *l, struct str name)
{
    struct directory_view *v = l->view;
    const char *path = path_in(l, name);
    const char *migration = fs_join(l->a, str_of(path), STR("migration.sql"));
    if (str_equal(name, STR("meta")))
        return;
    if (fs_exists(migration)) {
        v->migration_folders++;
        v->snapshot_folders += fs_exists(fs_join(l->a, str_of(path), STR("snapshot.json")));
        vec_push(l->a, &l->files, migration);
    } else if (fs_exists(fs_join(l->a, str_of(path), STR("up.sql")))) {
        v->diesel_folders++;
    } else if (!name_is_engine(name) && find_flyway_below(l, path, FLYWAY_SEARCH_DEPTH)) {
        v->flyway_names++;
        v->flyway_directories++;
    } else if (directory_holds_sql(path, 1)) {
        vec_push(l->a, &v->sql_directories, str_of(path));
    }
}

static void count_markers(struct directory_view *v, struct str text, const char *path)
{
    bool is_seen[MARKER_MAX] = {0};
    is_seen[MARKER_SQLX] = str_starts(text, STR("-- no-transaction"));
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        text = str_skip(text, 3);
    while (text.len) {
        struct str line;
        text = str_cut_line(text, &line);
        is_seen[marker_of_line(line)] = true;
    }
    for (enum marker m = MARKER_NONE + 1; m < MARKER_MAX; m++) {
        if (is_seen[m] && v->markers[m]++ == 0)
            v->marker_path[m] = path;
    }
}

static void sample_file(struct looking *l, const char *path, char *bytes)
{
    struct byte_source source;
    struct fail ignored = FAIL_NONE; /* what cannot be read is reported when it must be */
    size_t len = 0;
    if (byte_source_open(path, &source, &ignored)) {
        size_t room = source.size_bytes < SAMPLE_BYTES ? (size_t)source.size_bytes : SAMPLE_BYTES;
        if (byte_source_read(&source, 0, bytes, room, &len, &ignored))
            count_markers(l->view, (struct str){.at = bytes, .len = len}, path);
        byte_source_close(&source);
    }
    fail_clear(&ignored);
}

static void sample_files(struct looking *l)
{
    size_t count = l->files.count < SAMPLE_FILES ? l->files.count : SAMPLE_FILES;
    char *bytes = arena_alloc(l->a, SAMPLE_BYTES);
    for (size_t i = 0; i < count; i++) {
        size_t at = count > 1 ? i * (l->files.count - 1) / (count - 1) : 0;
        sample_file(l, l->files.at[at], bytes);
    }
}

static bool look(struct looking *l, struct fail *f)
{
    size_t directories = 0;
    if (!flyway_settings_load(l->a, l->directory, &l->settings, f))
        return false;
    if (entries_find(l->entries, STR("meta")))
        l->view->has_journal |= fs_exists(path_in(l, STR("meta/_journal.json")));
    for (size_t i = 0; i < l->entries->count; i++) {
        const struct fs_entry *e = &l->entries->at[i];
        if (!e->is_directory)
            look_at_file(l, e->name);
        else if (e->name.at[0] != '.' && directories++ < SAMPLE_DIRECTORIES)
            look_at_directory(l, e->name);
    }
    sample_files(l);
    return true;
}

/* Layouts in order of how specific they are: of some that read alike, the first counts. */
static const enum layout candidates[] = {
    LAYOUT_GOOSE,  LAYOUT_DBMATE,         LAYOUT_PRISMA, LAYOUT_DRIZZLE, LAYOUT_DIESEL,
    LAYOUT_FLYWAY, LAYOUT_GOLANG_MIGRATE, LAYOUT_PLAIN,  LAYOUT_SQLX,
};
static_assert(ARRAY_LEN(candidates) == LAYOUT_MAX - 1, "every layout is a candidate");

/* Files that fit one of these and carry no marker are read in the same way by all of them. */
static bool is_unmarked_numbered(enum layout l)
{
    return l == LAYOUT_PLAIN || l == LAYOUT_GOLANG_MIGRATE || l == LAYOUT_SQLX;
}

static bool refuse_unread(const char *tool, const char *path, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "\"%s\" is a file of %s, which is not read", path, tool);
    return fail_hint(f, "Read are flyway, golang-migrate, dbmate, goose, prisma, drizzle, diesel, "
                        "sqlx and plain numbered files. Give the directory of such files, and "
                        "--layout NAME where other files lie beside them.");
}

static bool refuse_ambiguous(enum layout a, enum layout b, struct str directory, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "the files in \"%.*s\" could be of %s or of %s", STR_ARG(directory),
             layout_name(a), layout_name(b));
    fail_detail(f, "The two would not read them in the same way.");
    return fail_hint(f, "Give --layout %s or --layout %s.", layout_name(a), layout_name(b));
}

static bool refuse_directories(const struct source_request *r, const struct directory_view *v,
                               struct fail *f)
{
    fail_set(f, EXIT_USAGE, "no migrations in \"%.*s\", only in directories below it",
             STR_ARG(r->directories[0]));
    for (size_t i = 0; i < v->sql_directories.count; i++) {
        struct str name = fs_basename(v->sql_directories.at[i]);
        if (r->engine != ENGINE_UNKNOWN && engine_of_name(name) == r->engine)
            return fail_hint(f, "Give --dir %.*s.", STR_ARG(v->sql_directories.at[i]));
    }
    for (size_t i = 0; i < v->sql_directories.count && i < 5; i++)
        fail_detail(f, "%.*s", STR_ARG(v->sql_directories.at[i]));
    return fail_hint(f, "Give the one that is meant: --dir %.*s.",
                     STR_ARG(v->sql_directories.at[0]));
}

static bool refuse_names(const struct source_request *r, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "no layout fits the files in \"%.*s\"", STR_ARG(r->directories[0]));
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++)
        fail_detail(f, "%s: %s", layout_name(candidates[i]),
                    layout_reader_of(candidates[i])->example);
    return fail_hint(f, "Rename the files, or give --layout where some of them fit one.");
}

/* Flyway's files, but only below, and beside directories of other SQL: rather the parent of several
   projects than one of them. */
static bool is_parent_of_projects(const struct directory_view *v)
{
    return v->flyway_directories && v->flyway_directories == v->flyway_names && v->numbered == 0 &&
           v->unnumbered_sql == 0 && v->sql_directories.count;
}

/* No layout fits: why. */
static bool settle_nothing(const struct source_request *r, const struct directory_view *v,
                           enum layout *out, struct fail *f)
{
    if (v->sql_directories.count && v->unnumbered_sql == 0 && v->numbered == 0)
        return refuse_directories(r, v, f);
    if (v->unnumbered_sql || v->numbered)
        return refuse_names(r, f);
    *out = LAYOUT_PLAIN; /* nothing there yet */
    return true;
}

static bool check_unread_markers(const struct directory_view *v, struct fail *f)
{
    for (enum marker m = MARKER_NONE + 1; m < MARKER_MAX; m++) {
        bool is_heading = m == MARKER_NODE_PG_MIGRATE && v->numbered_golang == v->numbered;
        if (marker_row(m)->layout == LAYOUT_AUTO && v->markers[m] && !is_heading)
            return refuse_unread(marker_row(m)->tool, v->marker_path[m], f);
    }
    return true;
}

static bool choose(const struct source_request *r, const struct directory_view *v, enum layout *out,
                   struct fail *f)
{
    if (!check_unread_markers(v, f))
        return false;
    if (is_parent_of_projects(v))
        return refuse_directories(r, v, f);
    enum fit best = FIT_NONE;
    enum layout chosen = LAYOUT_AUTO;
    enum layout rival = LAYOUT_AUTO;
    for (size_t i = 0; i < ARRAY_LEN(candidates); i++) {
        enum layout l = candidates[i];
        enum fit fit = layout_reader_of(l)->fit(v);
        if (fit > best) {
            best = fit;
            chosen = l;
            rival = LAYOUT_AUTO;
        } else if (fit == best && fit != FIT_NONE && rival == LAYOUT_AUTO &&
                   !(is_unmarked_numbered(chosen) && is_unmarked_numbered(l))) {
            rival = l;
        }
    }
    if (v->unread_tool && best < FIT_TELLTALE)
        return refuse_unread(v->unread_tool, v->unread_path, f);
    bool may_be_atlas =
        best == FIT_NONE ? v->numbered > 0 : best == FIT_SHAPE && chosen == LAYOUT_PLAIN;
    if (v->atlas_path && may_be_atlas)
        return refuse_unread("Atlas", v->atlas_path, f);
    if (rival != LAYOUT_AUTO)
        return refuse_ambiguous(chosen, rival, r->directories[0], f);
    *out = chosen;
    return best == FIT_NONE ? settle_nothing(r, v, out, f) : true;
}

bool detect_layout(struct arena *a, const struct source_request *r,
                   const struct fs_entries *entries, enum layout *out, struct fail *f)
{
    struct directory_view v = {0};
    for (size_t i = 0; i < r->count; i++) {
        struct looking l = {
            .a = a, .directory = r->directories[i], .entries = &entries[i], .view = &v};
        if (!look(&l, f))
            return false;
    }
    return choose(r, &v, out, f);
}
