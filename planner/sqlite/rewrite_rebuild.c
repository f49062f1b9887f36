/*
 * ALTER TABLE … ADD COLUMN of what SQLite does not add to a table with rows, though it is clear what it
 * means: the table is built anew with the column, its rows are copied, and it takes the place of the old one,
 * in one transaction (https://www.sqlite.org/lang_altertable.html#otheralter). Where the column belongs in
 * the text of the table SQLite tells: another one is added on trial.
 *
 * legacy_alter_table keeps the renaming from looking at views and triggers while the table has no name; with
 * foreign_keys off, what refers to the table goes on referring to its name. Rows that lack their parents are
 * looked for before COMMIT, as in every transaction with foreign_keys off.
 */
#include "planner/sqlite/rewrite.h"

#include "core/base/buf.h"

#define NEW_PREFIX "migrate_new_"

struct rebuild {
    struct sqlite_rewrite *r;
    const char *old, *new; /* quoted */
    struct str column;     /* the definition, as it is written */
    struct str name;       /* of the column, as it is written */
    struct str value;      /* that it has in rows that are there; "" : its default */
    struct str definition; /* CREATE TABLE of the new one */
    struct str sql;        /* all of it */
};

/* ---- the text of the new table ---- */

static struct str text_of_table(const struct rebuild *b)
{
    struct sqlite_scratch *s = b->r->p->scratch;
    sqlite3_stmt *q =
        scratch_ask(s, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = '%q'",
                    arena_cstr(b->r->a, b->r->table->name));
    struct str text = STR("");
    if (q && sqlite3_step(q) == SQLITE_ROW)
        text = scratch_text(b->r->a, q, 0);
    scratch_end(s, q);
    return text;
}

/* Where a column is added in the text of the table; SIZE_MAX: that cannot be told. */
static size_t place_of_column(const struct rebuild *b, struct str text)
{
    struct sqlite_rewrite *r = b->r;
    scratch_begin_trial(r->p->scratch);
    bool is_wider =
        scratch_run(r->p->scratch, "ALTER TABLE main.\"%w\" ADD COLUMN migrate_one_more",
                    arena_cstr(r->a, r->table->name));
    struct str wider = is_wider ? text_of_table(b) : STR("");
    scratch_end_trial(r->p->scratch);
    if (wider.len <= text.len)
        return SIZE_MAX;
    size_t more = wider.len - text.len;
    size_t at = 0;
    while (at < text.len && text.at[at] == wider.at[at])
        at++;
    /* What is behind the place may begin as the column does: then it is further to the front. */
    for (size_t i = at + 1; i > 0; i--) {
        struct str added = {wider.at + i - 1, more};
        if (str_ends(added, STR(", migrate_one_more")) &&
            memcmp(text.at + i - 1, wider.at + i - 1 + more, text.len - i + 1) == 0)
            return i - 1;
    }
    return SIZE_MAX;
}

/* CREATE TABLE name …: SQLite stores these three words first, whatever stood between them. */
static bool write_definition(struct rebuild *b)
{
    struct str text = b->r->table->sql;
    size_t place = place_of_column(b, text);
    struct str name = scratch_token(text, 2);
    size_t behind = name.at ? (size_t)(name.at - text.at) + name.len : SIZE_MAX;
    if (place == SIZE_MAX || !name.len || place <= behind)
        return false;
    b->definition = str_of(arena_printf(b->r->a, "CREATE TABLE %s%.*s, %.*s%.*s", b->new,
                                        (int)(place - behind), text.at + behind, STR_ARG(b->column),
                                        (int)(text.len - place), text.at + place));
    return true;
}

/* ---- the copy ---- */

/* The rowid, where it is not one of the columns; then those that are not computed. */
static void add_columns(const struct rebuild *b, struct buf *out)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    const struct sqlite_object *t = b->r->table;
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_LEN(names) && !t->is_without_rowid && !t->has_rowid_alias; i++) {
        if (object_column(t, str_of(names[i])))
            continue;
        buf_add_cstr(out, names[i]);
        separator = ", ";
        break;
    }
    for (size_t i = 0; i < t->columns.count; i++) {
        if (t->columns.at[i].is_generated)
            continue;
        buf_printf(out, "%s%.*s", separator,
                   STR_ARG(sqlite_identifier(b->r->a, t->columns.at[i].name)));
        separator = ", ";
    }
}

static void add_copy(const struct rebuild *b, struct buf *out)
{
    SCOPED(buf) struct buf columns = {0};
    add_columns(b, &columns);
    bool has_value = b->value.len > 0;
    buf_printf(out, "INSERT INTO main.%s (%s%s%.*s) SELECT %s%s%.*s%s FROM main.%s;\n", b->new,
               buf_cstr(&columns), has_value ? ", " : "", has_value ? (int)b->name.len : 0,
               b->name.at, buf_cstr(&columns), has_value ? ", (" : "", STR_ARG(b->value),
               has_value ? "\n)" : "", b->old);
    if (!b->r->table->is_autoincrement)
        return;
    /* Numbers that were given out once are not given out again. */
    char *old = sqlite3_mprintf("%Q", arena_cstr(b->r->a, b->r->table->name));
    char *new = sqlite3_mprintf("'" NEW_PREFIX "%q'", arena_cstr(b->r->a, b->r->table->name));
    buf_printf(out,
               "DELETE FROM sqlite_sequence WHERE name = %s;\n"
               "INSERT INTO sqlite_sequence (name, seq) SELECT %s, seq FROM sqlite_sequence WHERE "
               "name = %s;\n",
               new, new, old);
    sqlite3_free(old);
    sqlite3_free(new);
}

/* Indexes and triggers go with the old table; views stay. */
static void add_dependants(const struct rebuild *b, struct buf *out)
{
    const struct sqlite_objects *list = &b->r->p->before;
    for (size_t i = 0; i < list->count; i++) {
        const struct sqlite_object *o = list->at[i];
        bool is_of_table = o->owner && o->owner->relation == b->r->table->relation;
        if ((o->kind == OBJECT_INDEX || o->kind == OBJECT_TRIGGER) && is_of_table && o->sql.len)
            buf_printf(out, "%.*s;\n", STR_ARG(o->sql));
    }
}

static void write_sql(struct rebuild *b)
{
    SCOPED(buf) struct buf sql = {0};
    buf_printf(&sql, "PRAGMA foreign_keys = OFF;\nPRAGMA legacy_alter_table = ON;\n%.*s;\n",
               STR_ARG(b->definition));
    add_copy(b, &sql);
    buf_printf(&sql, "DROP TABLE main.%s;\nALTER TABLE main.%s RENAME TO %s;\n", b->old, b->new,
               b->old);
    add_dependants(b, &sql);
    buf_add_cstr(&sql, "PRAGMA legacy_alter_table = OFF");
    b->sql = buf_done(b->r->a, &sql);
}

/* ---- the trial ---- */

/* Of each row by itself: with an aggregate in it the copy is a single row. SQLite takes none in WHERE. */
static bool is_of_each_row(const struct rebuild *b)
{
    const char *sql =
        arena_printf(b->r->a, "SELECT 1 FROM main.%s WHERE (%.*s\n)", b->old, STR_ARG(b->value));
    return !b->value.len || !scratch_prepares(b->r->a, b->r->p->scratch, sql);
}

/* Whether rows that are there could be given to the column: SQLite says what it has become in the new table,
   where it is the last one. */
static bool has_something(const struct rebuild *b, bool *out_is_generated)
{
    struct sqlite_scratch *s = b->r->p->scratch;
    const char *name = arena_cstr(b->r->a, b->r->table->name);
    sqlite3_stmt *q =
        scratch_ask(s,
                    "SELECT \"notnull\" AND coalesce(trim(lower(dflt_value), ' ()'), "
                    "'null') = 'null' AND hidden = 0, hidden FROM "
                    "pragma_table_xinfo('" NEW_PREFIX "%q') ORDER BY cid DESC LIMIT 1",
                    name);
    bool is_there = q && sqlite3_step(q) == SQLITE_ROW;
    bool is_without = is_there && sqlite3_column_int(q, 0);
    *out_is_generated = is_there && sqlite3_column_int(q, 1);
    scratch_end(s, q);
    return is_there && (!is_without || b->value.len);
}

static bool is_definition_good(const struct rebuild *b, bool *out_is_generated)
{
    struct sqlite_scratch *s = b->r->p->scratch;
    scratch_begin_trial(s);
    bool is_good =
        scratch_run(s, "%.*s", STR_ARG(b->definition)) && has_something(b, out_is_generated);
    scratch_end_trial(s);
    return is_good;
}

static bool runs(const struct rebuild *b)
{
    struct sqlite_scratch *s = b->r->p->scratch;
    scratch_begin_trial(s);
    bool is_good = !scratch_try(b->r->a, s, arena_cstr(b->r->a, b->sql));
    scratch_end_trial(s);
    return is_good;
}

/* The steps are run in the scratch database, on the table as it was: there it may have the column by now.
   A default that the column's own rules refuse is refused in a row of ours as well; what the author's
   expression makes of real rows cannot be told. */
static bool stands_trial(const struct rebuild *b)
{
    struct sqlite_analysis *p = b->r->p;
    bool is_generated = false;
    scratch_begin_trial(p->scratch);
    bool is_good = scratch_run(p->scratch, "DROP TABLE main.%s", b->old) &&
                   !scratch_try(b->r->a, p->scratch, arena_cstr(b->r->a, b->r->table->sql)) &&
                   is_of_each_row(b) && is_definition_good(b, &is_generated) && runs(b);
    if (is_good && !b->value.len && !is_generated)
        is_good = !questions_error_with_rows(b->r->a, p, b->sql);
    scratch_end_trial(p->scratch);
    (void)scratch_run(p->scratch, "PRAGMA legacy_alter_table = OFF"); /* where it was cut off */
    return is_good;
}

/* ---- the recipe ---- */

static struct str forward_of(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_USING)
            return s->directives.at[i].forward;
    }
    return STR("");
}

static bool is_about(const struct sqlite_facts *f, const char *words)
{
    return (f->error && strstr(f->error, words)) || (f->row_error && strstr(f->row_error, words));
}

/* Names that only look as if they were free, and settings of the file's own. */
static bool is_in_the_way(const struct rebuild *b)
{
    struct sqlite_rewrite *r = b->r;
    const char *name = arena_printf(r->a, NEW_PREFIX "%.*s", STR_ARG(r->table->name));
    sqlite3_stmt *q = scratch_ask(r->p->scratch, "PRAGMA legacy_alter_table");
    bool is_legacy = q && sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0);
    scratch_end(r->p->scratch, q);
    return is_legacy || objects_find_relation(&r->p->before, str_of(name)) ||
           objects_find(&r->p->before, OBJECT_INDEX, str_of(name));
}

/* ALTER TABLE [main .] table ADD [COLUMN] definition */
static bool take_words(struct rebuild *b)
{
    struct sqlite_rewrite *r = b->r;
    size_t at = sqlite_rewrite_is(r, 3, ".") ? 5 : 3;
    if (r->p->facts.alter != ALTER_ADD || !sqlite_rewrite_is(r, at, "add"))
        return false;
    at += sqlite_rewrite_is(r, at + 1, "column") ? 2 : 1;
    b->column = sqlite_rewrite_piece(r, at, r->tokens.count);
    b->name = sqlite_rewrite_piece(r, at, at + 1);
    return b->column.len > 0 && !object_column(r->table, b->name);
}

bool sqlite_rewrite_rebuild(struct sqlite_rewrite *r)
{
    const struct sqlite_facts *f = &r->p->facts;
    struct rebuild b = {.r = r, .value = forward_of(r->statement)};
    char *old = sqlite3_mprintf("\"%w\"", arena_cstr(r->a, r->table->name));
    char *new = sqlite3_mprintf("\"" NEW_PREFIX "%w\"", arena_cstr(r->a, r->table->name));
    b.old = arena_cstr(r->a, str_of(old ? old : ""));
    b.new = arena_cstr(r->a, str_of(new ? new : ""));
    sqlite3_free(old);
    sqlite3_free(new);
    /* Which value the rows shall have only the author can say. */
    bool needs_value =
        is_about(f, "NOT NULL column with default value NULL") || is_about(f, "constraint failed");
    if ((needs_value && !b.value.len) || is_about(f, "PRIMARY KEY column") ||
        r->table->is_made_up || is_in_the_way(&b) || !take_words(&b) || !write_definition(&b))
        return false;
    write_sql(&b);
    if (!stands_trial(&b))
        return false;
    (void)sqlite_rewrite_step(r, PHASE_EXPAND,
                              "builds the table anew with the column and copies its rows, in one "
                              "transaction; nobody else "
                              "writes meanwhile",
                              "%.*s", STR_ARG(b.sql));
    return true;
}
