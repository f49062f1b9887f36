/*
 * The authorizer is called while a statement is prepared, once for each thing it would do; the row of
 * the worst action decides. See https://www.sqlite.org/c3ref/c_alter_table.html for the codes.
 */
#include "planner/sqlite/scratch.h"

#include "core/base/vec.h"
#include "planner/sqlite/cut.h"

/* Some ten milliseconds of SQLite's work. */
#define TICK_STEPS 100000
#define MOST_TICKS 20

struct action_row {
    int code;
    enum statement_class class;
    const char *verb; /* "drops table"; the object's name follows */
};

static const struct action_row actions[] = {
    {SQLITE_CREATE_INDEX, CLASS_ADDITIVE, "creates index"},
    {SQLITE_CREATE_TABLE, CLASS_ADDITIVE, "creates table"},
    {SQLITE_CREATE_TRIGGER, CLASS_ADDITIVE, "creates trigger"},
    {SQLITE_CREATE_VIEW, CLASS_ADDITIVE, "creates view"},
    {SQLITE_CREATE_VTABLE, CLASS_ADDITIVE, "creates virtual table"},
    {SQLITE_CREATE_TEMP_TABLE, CLASS_ADDITIVE, "creates temporary table"},
    {SQLITE_INSERT, CLASS_ADDITIVE, "inserts into"},
    {SQLITE_ALTER_TABLE, CLASS_ADDITIVE, "alters table"},
    {SQLITE_DELETE, CLASS_DESTRUCTIVE, "deletes from"},
    {SQLITE_UPDATE, CLASS_DESTRUCTIVE, "updates"},
    {SQLITE_DROP_INDEX, CLASS_DESTRUCTIVE, "drops index"},
    {SQLITE_DROP_TABLE, CLASS_DESTRUCTIVE, "drops table"},
    {SQLITE_DROP_TRIGGER, CLASS_DESTRUCTIVE, "drops trigger"},
    {SQLITE_DROP_VIEW, CLASS_DESTRUCTIVE, "drops view"},
    {SQLITE_DROP_VTABLE, CLASS_DESTRUCTIVE, "drops virtual table"},
    {SQLITE_DROP_TEMP_TABLE, CLASS_ADDITIVE, "drops temporary table"},
};

/* Actions that must not happen even here, and pragmas, whose effect is on a connection. */
static bool is_denied_action(int code)
{
    return code == SQLITE_ATTACH || code == SQLITE_DETACH;
}

static bool is_schema_table(struct str name)
{
    return str_starts_nocase(name, STR("sqlite_"));
}

#define KEEP(room, text) snprintf((room), sizeof(room), "%s", (text))

/* Most settings are those of a connection, which is not this one. */
static int hear_pragma(struct sqlite_scratch *s, const char *name, const char *value)
{
    if (!s->heard.pragma[0]) {
        KEEP(s->heard.pragma, name ? name : "");
        KEEP(s->heard.value, value ? value : "");
    }
    bool is_obeyed = sqlite3_stricmp(name, "legacy_alter_table") == 0 ||
                     sqlite3_stricmp(name, "quick_check") == 0;
    return is_obeyed ? SQLITE_OK : SQLITE_IGNORE;
}

/* What does not fit is left out: it is then taken as not read. */
static void hear_column(struct sqlite_heard *h, const char *name)
{
    size_t used = strlen(h->columns);
    size_t more = strlen(name) + 2; /* the line feed in front is that behind the one before */
    if (name[0] && used + more < sizeof(h->columns))
        snprintf(h->columns + used, sizeof(h->columns) - used, "%s%s\n", used ? "" : "\n", name);
}

static void hear(struct sqlite_scratch *s, int code, const char *first, const char *second,
                 const char *trigger)
{
    struct sqlite_heard *h = &s->heard;
    bool is_write = code == SQLITE_INSERT || code == SQLITE_UPDATE || code == SQLITE_DELETE;
    bool is_drop = code == SQLITE_DROP_TABLE || code == SQLITE_DROP_INDEX ||
                   code == SQLITE_DROP_VIEW || code == SQLITE_DROP_TRIGGER ||
                   code == SQLITE_DROP_VTABLE ||
                   (code >= SQLITE_DROP_TEMP_INDEX && code <= SQLITE_DROP_TEMP_VIEW);
    if (code == SQLITE_ALTER_TABLE)
        KEEP(h->altered, second);
    if (is_drop && !h->dropped[0])
        KEEP(h->dropped, first);
    if (code == SQLITE_CREATE_INDEX || code == SQLITE_CREATE_TEMP_INDEX)
        KEEP(h->indexed, second);
    if (is_write && !trigger && !h->written[0] && !is_schema_table(str_of(first)))
        KEEP(h->written, first);
    h->selects |= code == SQLITE_SELECT && !trigger;
    h->writes_sequence |= is_write && !trigger && sqlite3_stricmp(first, "sqlite_sequence") == 0;
    bool is_read = code == SQLITE_READ && !trigger && !is_schema_table(str_of(first));
    if (is_read && !h->read[0] && sqlite3_stricmp(first, h->written) != 0)
        KEEP(h->read, first);
    h->reads_columns |= is_read && second[0];
    if (is_read && sqlite3_stricmp(first, h->read) == 0)
        hear_column(h, second);
}

static void add_name(struct arena *a, struct scratch_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (str_equal_nocase(names->at[i], str_of(name)))
            return;
    }
    vec_push(a, names, arena_str(a, str_of(name)));
}

static void hear_use(struct scratch_uses *u, int code, const char *first, const char *second,
                     const char *trigger)
{
    struct scratch_column column = {arena_str(u->a, str_of(first)),
                                    arena_str(u->a, str_of(second))};
    if (trigger) {
        add_name(u->a, &u->triggers, trigger);
        if (code == SQLITE_INSERT || code == SQLITE_UPDATE || code == SQLITE_DELETE)
            add_name(u->a, &u->written_by_triggers, first);
    }
    if (!trigger && code == SQLITE_READ)
        vec_push(u->a, &u->reads, column);
    else if (!trigger && code == SQLITE_UPDATE)
        vec_push(u->a, &u->sets, column);
    else if (!trigger && code == SQLITE_FUNCTION)
        add_name(u->a, &u->functions, second);
    u->has_query |= code == SQLITE_SELECT && !trigger;
}

static int authorize(void *context, int code, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    struct sqlite_scratch *s = context;
    (void)database;
    if (s->uses)
        hear_use(s->uses, code, first ? first : "", second ? second : "", trigger);
    if (s->is_ours)
        return SQLITE_OK;
    /* A setting in a schema file is for a connection of its own. */
    if (s->is_open_for_all && code == SQLITE_PRAGMA)
        return SQLITE_IGNORE;
    if (s->is_open_for_all && !is_denied_action(code))
        return SQLITE_OK;
    if (is_denied_action(code)) {
        s->is_denied = true;
        return SQLITE_DENY;
    }
    if (code == SQLITE_PRAGMA)
        return hear_pragma(s, first, second);
    hear(s, code, first ? first : "", second ? second : "", trigger);
    bool is_of_schema = first && is_schema_table(str_of(first));
    s->does_insert |= code == SQLITE_INSERT && !is_of_schema;
    s->does_update |= code == SQLITE_UPDATE && !is_of_schema;
    s->does_delete |= code == SQLITE_DELETE && !is_of_schema;
    /* Writes to sqlite_schema are how DDL works; triggers are not this statement's own doing. */
    bool is_bookkeeping = is_of_schema || trigger;
    for (size_t i = 0; i < ARRAY_LEN(actions) && !is_bookkeeping; i++) {
        if (actions[i].code != code)
            continue;
        s->is_ddl |= code != SQLITE_INSERT && code != SQLITE_UPDATE && code != SQLITE_DELETE;
        if (!s->verb || actions[i].class > s->class) {
            s->class = actions[i].class;
            s->verb = actions[i].verb;
            snprintf(s->object, sizeof(s->object), "%s",
                     code == SQLITE_ALTER_TABLE && second ? second
                     : first                              ? first
                                                          : "");
        }
    }
    return SQLITE_OK;
}

/* True stops what is run. */
static int tick(void *context)
{
    struct sqlite_scratch *s = context;
    return ++s->ticks > MOST_TICKS;
}

struct sqlite_scratch *sqlite_scratch_open(struct fail *f)
{
    struct sqlite_scratch *s = calloc(1, sizeof(*s));
    if (!s || sqlite3_open_v2(":memory:", &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                              NULL) != SQLITE_OK) {
        fail_set(f, EXIT_FAILED, "no scratch database could be opened in memory");
        fail_hint(f, "Is there memory left?");
        sqlite_scratch_close(s);
        return NULL;
    }
    sqlite3_set_authorizer(s->db, authorize, s);
    sqlite3_progress_handler(s->db, TICK_STEPS, tick, s);
    return s;
}

void sqlite_scratch_close(struct sqlite_scratch *s)
{
    if (!s)
        return;
    sqlite3_close(s->db);
    free(s);
}

static bool starts_with(const struct statement *s, const char *kind)
{
    return strcmp(s->kind, kind) == 0;
}

struct str scratch_token(struct str text, size_t n)
{
    while (text.len) {
        enum sqlite_token_kind kind;
        size_t len = sqlite_token(text, &kind);
        if (kind != SQLITE_TOKEN_BLANK && n-- == 0)
            return (struct str){text.at, len};
        text = str_skip(text, len);
    }
    return (struct str){0};
}

/* SQLite makes its own tables itself, and lists them in what the sqlite3 program prints as schema. */
static bool makes_own_table(struct str sql)
{
    struct str name = scratch_token(sql, 2);
    if (name.len > 1 && !char_is_alpha(name.at[0]))
        name = str_skip(name, 1); /* quoted */
    return str_equal_nocase(scratch_token(sql, 0), STR("create")) &&
           str_equal_nocase(scratch_token(sql, 1), STR("table")) && is_schema_table(name);
}

const char *sqlite_scratch_load(struct arena *a, struct sqlite_scratch *s, struct str sql)
{
    if (makes_own_table(sql))
        return NULL;
    s->ticks = 0;
    s->is_denied = false;
    s->is_open_for_all = true;
    bool is_done = sqlite3_exec(s->db, arena_cstr(a, sql), NULL, NULL, NULL) == SQLITE_OK;
    s->is_open_for_all = false;
    if (is_done)
        return NULL;
    return s->is_denied ? "it reaches outside the database"
                        : arena_cstr(a, str_of(sqlite3_errmsg(s->db)));
}

/* ALTER TABLE has one action code for its forms; the word behind the table's name tells which. */
enum alter_form scratch_alter_form(const struct statement *s)
{
    if (!starts_with(s, "ALTER TABLE"))
        return ALTER_NONE;
    bool has_schema = str_equal(scratch_token(s->text, 3), STR("."));
    struct str form = scratch_token(s->text, has_schema ? 5 : 3);
    return str_equal_nocase(form, STR("rename")) ? ALTER_RENAME
           : str_equal_nocase(form, STR("drop")) ? ALTER_DROP
           : str_equal_nocase(form, STR("add"))  ? ALTER_ADD
                                                 : ALTER_OTHER;
}

static void refine_alter(struct arena *a, const struct sqlite_scratch *scratch, struct statement *s)
{
    enum alter_form form = scratch_alter_form(s);
    if (form != ALTER_RENAME && form != ALTER_DROP)
        return;
    s->class = CLASS_DESTRUCTIVE;
    s->class_reason = arena_printf(
        a, "%s %s", form == ALTER_RENAME ? "renames in table" : "drops a column of table",
        scratch->heard.altered);
}

/* REPLACE and INSERT OR REPLACE delete what is in the way without the authorizer hearing of it. */
static void refine_insert(struct statement *s)
{
    bool replaces =
        starts_with(s, "REPLACE") ||
        (starts_with(s, "INSERT") && str_equal_nocase(scratch_token(s->text, 2), STR("replace")));
    if (replaces && s->class != CLASS_DESTRUCTIVE) {
        s->class = CLASS_DESTRUCTIVE;
        s->class_reason = "overwrites rows that are there";
    }
}

/* With writable_schema on, UPDATE can change or break any part of the schema. */
static void refine_pragma(struct statement *s)
{
    size_t name = str_equal(scratch_token(s->text, 2), STR(".")) ? 3 : 1;
    if (!str_equal_nocase(scratch_token(s->text, name), STR("writable_schema")))
        return;
    s->class = CLASS_DESTRUCTIVE;
    s->class_reason = "lets statements change the schema's own table";
}

/* WITH … is named after what it does. */
static void refine_with(const struct sqlite_scratch *scratch, struct statement *s)
{
    s->kind = scratch->does_update   ? "UPDATE"
              : scratch->does_delete ? "DELETE"
              : scratch->does_insert ? "INSERT"
                                     : "SELECT";
}

static void not_analysed(struct arena *a, struct statement *s, const char *why)
{
    s->is_analysed = false;
    s->class = CLASS_DESTRUCTIVE;
    s->not_analysed_reason = arena_cstr(a, str_of(why));
}

/* Runs DDL in the scratch database; rows are none of its business. What CREATE TABLE … AS selects without
   end is given up. */
static void fold(struct sqlite_scratch *s, sqlite3_stmt *prepared)
{
    s->ticks = 0;
    int code = SQLITE_ROW;
    while (code == SQLITE_ROW)
        code = sqlite3_step(prepared);
    if (code != SQLITE_DONE && code != SQLITE_INTERRUPT)
        KEEP(s->error, sqlite3_errmsg(s->db));
    (void)sqlite3_reset(prepared);
}

static bool is_control(const struct statement *s)
{
    return s->role == ROLE_BEGIN || s->role == ROLE_COMMIT || s->role == ROLE_ROLLBACK ||
           starts_with(s, "SAVEPOINT") || starts_with(s, "RELEASE");
}

void scratch_forget(struct sqlite_scratch *s)
{
    s->class = CLASS_UNKNOWN;
    s->verb = NULL;
    s->heard = (struct sqlite_heard){0};
    s->error[0] = '\0';
    s->is_denied = s->is_ddl = s->does_insert = s->does_update = s->does_delete = false;
}

void scratch_listen(struct sqlite_scratch *s, const struct statement *statement)
{
    sqlite3_stmt *prepared = NULL;
    scratch_forget(s);
    (void)sqlite3_prepare_v2(s->db, statement->text.at, (int)statement->text.len, &prepared, NULL);
    s->heard.returns_rows = sqlite3_column_count(prepared) > 0;
    (void)sqlite3_finalize(prepared);
}

/* The authorizer hears which it is, and lets few of them do anything. */
static void take_pragma(struct sqlite_scratch *s, struct statement *statement)
{
    sqlite3_stmt *prepared = NULL;
    refine_pragma(statement);
    (void)sqlite3_prepare_v2(s->db, statement->text.at, (int)statement->text.len, &prepared, NULL);
    if (prepared && sqlite3_stricmp(s->heard.pragma, "legacy_alter_table") == 0)
        (void)sqlite3_step(prepared);
    (void)sqlite3_finalize(prepared);
}

bool sqlite_scratch_analyse(struct arena *a, struct sqlite_scratch *s, struct statement *statement,
                            struct fail *f)
{
    (void)f;
    statement->class = CLASS_ADDITIVE;
    scratch_forget(s);
    if (starts_with(statement, "PRAGMA"))
        take_pragma(s, statement);
    if (is_control(statement) || starts_with(statement, "PRAGMA") ||
        starts_with(statement, "VACUUM") || starts_with(statement, "ATTACH") ||
        starts_with(statement, "DETACH"))
        return true;
    sqlite3_stmt *prepared = NULL;
    int code =
        sqlite3_prepare_v2(s->db, statement->text.at, (int)statement->text.len, &prepared, NULL);
    if (code != SQLITE_OK) {
        KEEP(s->error, sqlite3_errmsg(s->db));
        not_analysed(a, statement,
                     s->is_denied ? "it reaches outside the database" : sqlite3_errmsg(s->db));
    } else if (s->verb) {
        statement->class = s->class;
        statement->class_reason = arena_printf(a, "%s %s", s->verb, s->object);
    }
    if (prepared && starts_with(statement, "ALTER TABLE"))
        refine_alter(a, s, statement);
    if (prepared && starts_with(statement, "WITH"))
        refine_with(s, statement);
    if (prepared)
        refine_insert(statement);
    if (prepared && s->is_ddl)
        fold(s, prepared);
    (void)sqlite3_finalize(prepared);
    return true;
}
