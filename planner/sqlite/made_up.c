/* The names come from SQLite's messages, which are the same since 3.0 (build.c, resolve.c, insert.c). */
#include "planner/sqlite/made_up.h"

#include "core/base/vec.h"

/* A column that every table has which is made up: a table needs one. */
#define ANCHOR "migrate_made_up"
#define NO_COLUMN "no such column: " /* also behind "error in table t after add column: " */
#define MOST_STEPS 200

struct maker {
    struct arena *a;
    struct sqlite_scratch *s;
    const char *sql;
    const struct sqlite_objects *gone;
    VEC_OF(const char *) tables; /* that may get columns, the newest last */
};

/* The last part of a name, without quotes. */
static const char *bare(struct arena *a, const char *name)
{
    const char *dot = strrchr(name, '.');
    struct str text = str_trim(str_of(dot ? dot + 1 : name));
    if (text.len >= 2 && (text.at[0] == '"' || text.at[0] == '`' || text.at[0] == '['))
        text = (struct str){text.at + 1, text.len - 2};
    return arena_cstr(a, text);
}

/* What stands behind these words in the message; NULL: it does not begin with them. */
static const char *behind(const char *message, const char *words)
{
    size_t len = strlen(words);
    return strncmp(message, words, len) == 0 ? message + len : NULL;
}

static void remember_table(struct maker *m, const char *name)
{
    for (size_t i = 0; i < m->tables.count; i++) {
        if (sqlite3_stricmp(m->tables.at[i], name) == 0)
            return;
    }
    vec_push(m->a, &m->tables, name);
}

static bool make_table(struct maker *m, const char *name)
{
    if (objects_find(m->gone, OBJECT_TABLE, str_of(name)) ||
        objects_find(m->gone, OBJECT_VIEW, str_of(name)))
        return false;
    if (!scratch_run(m->s, "CREATE TABLE main.\"%w\"(" ANCHOR ")", name))
        return false;
    remember_table(m, name);
    return true;
}

static bool add_column(struct maker *m, const char *table, const char *column)
{
    return scratch_run(m->s, "ALTER TABLE main.\"%w\" ADD COLUMN \"%w\"", table, column);
}

/* Which table lacks it, SQLite does not say: each is tried. */
static bool make_column(struct maker *m, const char *name, const char *message)
{
    for (size_t i = m->tables.count; i > 0; i--) {
        const char *table = m->tables.at[i - 1];
        if (!add_column(m, table, name))
            continue;
        const char *now = scratch_prepares(m->a, m->s, m->sql);
        if (!now || strcmp(now, message) != 0)
            return true;
        (void)scratch_run(m->s, "ALTER TABLE main.\"%w\" DROP COLUMN \"%w\"", table, name);
    }
    return false;
}

/* Columns of no known name, for an INSERT that gives none. */
static bool make_columns(struct maker *m, const char *table, unsigned has, unsigned wants)
{
    bool is_ours = false;
    for (size_t i = 0; i < m->tables.count; i++)
        is_ours = is_ours || sqlite3_stricmp(m->tables.at[i], table) == 0;
    if (!is_ours || wants <= has || wants - has > MOST_STEPS)
        return false;
    for (unsigned i = has; i < wants; i++) {
        if (!add_column(m, table, arena_printf(m->a, ANCHOR "_%u", i)))
            return false;
    }
    return true;
}

/* A table of ours that the statement reads has too few. */
static bool widen_source(struct maker *m, unsigned by, const char *message)
{
    for (size_t i = m->tables.count; i > 0 && by <= MOST_STEPS; i--) {
        const char *table = m->tables.at[i - 1];
        for (unsigned k = 0; k < by; k++) {
            if (!add_column(m, table, arena_printf(m->a, ANCHOR "_%u", k)))
                return false;
        }
        const char *now = scratch_prepares(m->a, m->s, m->sql);
        if (!now || strcmp(now, message) != 0)
            return true;
    }
    return false;
}

static bool needs_more_columns(struct maker *m, const char *message)
{
    char table[256];
    unsigned has;
    unsigned wants;
    if (sscanf(message, "table %255s has %u columns but %u values were supplied", table, &has,
               &wants) == 3)
        return make_columns(m, bare(m->a, table), has, wants) ||
               (wants < has && widen_source(m, has - wants, message));
    if (sscanf(message, "%u values for %u columns", &wants, &has) == 2)
        return wants < has && widen_source(m, has - wants, message);
    const char *column = strstr(message, " has no column named ");
    const char *name = behind(message, "table ");
    if (!column || !name || column <= name)
        return false;
    const char *text = bare(m->a, arena_cstr(m->a, str_range(name, column)));
    bool is_ours = false;
    for (size_t i = 0; i < m->tables.count; i++)
        is_ours = is_ours || sqlite3_stricmp(m->tables.at[i], text) == 0;
    return is_ours && add_column(m, text, column + strlen(" has no column named "));
}

static bool make_other(struct maker *m, const char *message)
{
    const char *name;
    if ((name = behind(message, "no such view: ")))
        return scratch_run(m->s, "CREATE VIEW main.\"%w\" AS SELECT 1 AS " ANCHOR,
                           bare(m->a, name));
    name = behind(message, "no such index: ");
    const char *trigger = behind(message, "no such trigger: ");
    if (!name && !trigger)
        return false;
    const char *table = ANCHOR "_owner";
    (void)scratch_run(m->s, "CREATE TABLE IF NOT EXISTS main.\"%w\"(" ANCHOR ")", table);
    if (name)
        return !objects_find(m->gone, OBJECT_INDEX, str_of(bare(m->a, name))) &&
               scratch_run(m->s, "CREATE INDEX main.\"%w\" ON \"%w\"(" ANCHOR ")", bare(m->a, name),
                           table);
    return !objects_find(m->gone, OBJECT_TRIGGER, str_of(bare(m->a, trigger))) &&
           scratch_run(m->s,
                       "CREATE TRIGGER main.\"%w\" AFTER INSERT ON \"%w\" BEGIN SELECT 1; END",
                       bare(m->a, trigger), table);
}

static bool make(struct maker *m, const char *message)
{
    const char *name;
    if ((name = behind(message, "no such table: ")))
        return make_table(m, bare(m->a, name));
    if ((name = strstr(message, NO_COLUMN)))
        return make_column(m, bare(m->a, name + strlen(NO_COLUMN)), message);
    return needs_more_columns(m, message) || make_other(m, message);
}

/* ALTER TABLE looks at the new table only when it is run. */
static const char *refusal(struct maker *m, bool is_alter)
{
    const char *message = scratch_prepares(m->a, m->s, m->sql);
    if (message || !is_alter)
        return message;
    scratch_begin_trial(m->s);
    message = scratch_try(m->a, m->s, m->sql);
    scratch_end_trial(m->s);
    return message;
}

static bool make_all(struct maker *m, bool is_alter)
{
    bool has_made = false;
    for (unsigned i = 0; i < MOST_STEPS; i++) {
        const char *message = refusal(m, is_alter);
        if (!message || !make(m, message))
            break;
        has_made = true;
    }
    return has_made;
}

bool made_up_for(struct arena *a, struct sqlite_scratch *s, const struct sqlite_objects *now,
                 const struct sqlite_objects *gone, const struct statement *statement)
{
    struct maker m = {.a = a, .s = s, .sql = arena_cstr(a, statement->text), .gone = gone};
    for (size_t i = 0; i < now->count; i++) {
        if (now->at[i]->is_made_up && now->at[i]->kind == OBJECT_TABLE)
            remember_table(&m, arena_cstr(a, now->at[i]->name));
    }
    /* Of a table that nobody knows, a name in double quotes is a column. */
    scratch_take_quotes(s, false);
    bool is_alter = scratch_alter_form(statement) != ALTER_NONE;
    bool has_made = make_all(&m, is_alter);
    scratch_take_quotes(s, true);
    return make_all(&m, is_alter) || has_made;
}
