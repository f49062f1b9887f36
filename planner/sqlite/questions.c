/*
 * What the words of a statement do not say to a program, SQLite is asked: it takes the statement, or
 * does not, with a WHERE behind it, with one more column in the table, with a row in it, without texts
 * in double quotes.
 */
#include "planner/sqlite/state.h"

#include "core/base/buf.h"

/* ---- WHERE ---- */

/* Rows of many kinds; some of them fit most tables. */
static const char *const row_values[] = {"NULL", "1", "'x'", "0", "-1", "1.5", "''"};

static bool takes_null(const struct sqlite_column *c)
{
    return !c->is_not_null && !c->key;
}

/* INSERT INTO table: NULL where it is allowed, this value elsewhere. */
static bool put_row(struct arena *a, struct sqlite_analysis *p, const struct sqlite_object *table,
                    const char *value)
{
    SCOPED(buf) struct buf sql = {0};
    const char *separator = "";
    char *begin =
        sqlite3_mprintf("INSERT INTO %s.\"%w\" SELECT ", table->is_temporary ? "temp" : "main",
                        arena_cstr(a, table->name));
    buf_add_cstr(&sql, begin ? begin : "");
    sqlite3_free(begin);
    bool is_null = strcmp(value, "NULL") == 0;
    for (size_t i = 0; i < table->columns.count; i++) {
        const struct sqlite_column *c = &table->columns.at[i];
        if (c->is_generated)
            continue;
        const char *one = is_null && !takes_null(c) ? "1" : value;
        /* a row in a STRICT table or under an INTEGER PRIMARY KEY takes no text there */
        bool is_rowid = c->key && table->has_rowid_alias;
        buf_printf(&sql, "%s%s", separator, is_rowid ? "1" : one);
        separator = ", ";
    }
    return scratch_run(p->scratch, "%s", buf_cstr(&sql));
}

/* Triggers and foreign keys are not asked. */
static void begin_rows(struct sqlite_analysis *p)
{
    scratch_begin_trial(p->scratch);
    (void)sqlite3_db_config(p->scratch->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
}

static void end_rows(struct sqlite_analysis *p)
{
    (void)scratch_run(p->scratch, "PRAGMA ignore_check_constraints = OFF");
    (void)sqlite3_db_config(p->scratch->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
    scratch_end_trial(p->scratch);
}

/* A condition that reads no column is the same for each row: does it hold for one? */
static bool holds_for_a_row(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    bool holds = false;
    begin_rows(p);
    (void)scratch_run(p->scratch, "PRAGMA ignore_check_constraints = ON");
    for (size_t i = 0; i < ARRAY_LEN(row_values) && !holds; i++) {
        if (!put_row(a, p, p->facts.table, row_values[i]))
            continue;
        int before = sqlite3_total_changes(p->scratch->db);
        holds = !scratch_try(a, p->scratch, arena_cstr(a, s->text)) &&
                sqlite3_total_changes(p->scratch->db) > before;
        break;
    }
    end_rows(p);
    return holds;
}

/* SQLite takes a WHERE behind it: so it has none. */
static void ask_where(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    const char *with = arena_printf(a, "%.*s\nWHERE 1", STR_ARG(s->text));
    p->facts.has_no_where = scratch_prepares(a, p->scratch, with) == NULL;
    bool is_constant = !p->facts.has_no_where && !p->scratch->heard.reads_columns &&
                       p->facts.table && p->facts.table->kind == OBJECT_TABLE;
    p->facts.is_always_true = is_constant && holds_for_a_row(a, p, s);
}

/* ---- lists of columns ---- */

/* With one more column the numbers do not fit: it was not listed. */
static bool counts_columns(struct arena *a, struct sqlite_analysis *p, const struct statement *s,
                           const struct sqlite_object *table)
{
    if (!table || table->kind != OBJECT_TABLE || table->is_module)
        return false;
    scratch_begin_trial(p->scratch);
    bool is_wider = scratch_run(p->scratch, "ALTER TABLE \"%w\" ADD COLUMN migrate_one_more",
                                arena_cstr(a, table->name));
    const char *error = is_wider ? scratch_prepares(a, p->scratch, arena_cstr(a, s->text)) : NULL;
    scratch_end_trial(p->scratch);
    return error && strstr(error, "values");
}

static void ask_lists(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    if (scratch_prepares(a, p->scratch, arena_cstr(a, s->text)))
        return; /* it cannot be prepared at all */
    p->facts.omits_columns = counts_columns(a, p, s, p->facts.table);
    p->facts.selects_all = counts_columns(a, p, s, p->facts.from);
}

/* ---- with rows ---- */

/* The table's own checks fail for our row: what SQLite says of the new one is not to be told from that. */
static bool fits_checks(struct sqlite_analysis *p, const char *table)
{
    sqlite3_stmt *q = scratch_ask(p->scratch, "PRAGMA quick_check(\"%w\")", table);
    bool fits = q && sqlite3_step(q) == SQLITE_ROW &&
                sqlite3_stricmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
    scratch_end(p->scratch, q);
    return fits;
}

static const char *error_with_row(struct arena *a, struct sqlite_analysis *p, const char *sql,
                                  const char *value)
{
    const char *error = NULL;
    const char *table = arena_cstr(a, p->facts.table->name);
    begin_rows(p);
    (void)scratch_run(p->scratch, "PRAGMA ignore_check_constraints = ON");
    if (put_row(a, p, p->facts.table, value)) {
        (void)scratch_run(p->scratch, "PRAGMA ignore_check_constraints = OFF");
        bool fits = fits_checks(p, table);
        error = scratch_try(a, p->scratch, sql);
        if (error && !fits && strstr(error, "constraint failed"))
            error = NULL;
    }
    end_rows(p);
    return error;
}

const char *questions_error_with_rows(struct arena *a, struct sqlite_analysis *p, struct str sql)
{
    const char *text = arena_cstr(a, sql);
    const char *error = NULL;
    for (size_t i = 0; i < ARRAY_LEN(row_values) && !error; i++)
        error = error_with_row(a, p, text, row_values[i]);
    return error;
}

static void ask_rows(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    const struct sqlite_object *table = p->facts.table;
    bool may_fail = table && !table->is_module && catalog_may_have_rows(table->relation) &&
                    !scratch_prepares(a, p->scratch, arena_cstr(a, s->text));
    if (!may_fail)
        return;
    p->facts.row_error = questions_error_with_rows(a, p, s->text);
    if (p->facts.row_error)
        return;
    scratch_enforce(p->scratch, true);
    p->facts.key_error = scratch_prepares(a, p->scratch, arena_cstr(a, s->text));
    if (!p->facts.key_error)
        p->facts.key_error = questions_error_with_rows(a, p, s->text);
    scratch_enforce(p->scratch, false);
}

/* ---- double quotes ---- */

static void ask_quotes(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    const char *sql = arena_cstr(a, s->text);
    if (!memchr(s->text.at, '"', s->text.len) || scratch_prepares(a, p->scratch, sql))
        return;
    scratch_take_quotes(p->scratch, false);
    p->facts.quoted = scratch_prepares(a, p->scratch, sql);
    scratch_take_quotes(p->scratch, true);
}

void questions_ask_behind(struct arena *a, struct sqlite_analysis *p, const struct statement *s)
{
    bool has_quotes = memchr(s->text.at, '"', s->text.len) != NULL;
    for (size_t i = 0; i < p->now.count && has_quotes; i++) {
        const struct sqlite_object *o = p->now.at[i];
        bool is_body = o->kind == OBJECT_VIEW || o->kind == OBJECT_TRIGGER;
        if (!is_body || objects_successor(&p->before, o) || health_of(a, p, o))
            continue;
        scratch_take_quotes(p->scratch, false);
        p->facts.quoted = health_of(a, p, o);
        scratch_take_quotes(p->scratch, true);
    }
}

/* ---- all of them ---- */

static struct str subject_of(const struct sqlite_heard *h)
{
    return str_of(h->altered[0] ? h->altered : h->indexed[0] ? h->indexed : h->written);
}

/* The authorizer does not hear of a table that is copied page by page; the program reads it all the same. */
static const struct sqlite_object *source_of(const struct sqlite_analysis *p,
                                             const struct effects *e)
{
    const struct sqlite_object *o =
        objects_find(&p->now, OBJECT_TABLE, str_of(p->scratch->heard.read));
    for (size_t i = 0; i < e->scans.count && !o; i++) {
        for (size_t k = 0; k < p->now.count && !o; k++) {
            if (p->now.at[k]->relation == e->scans.at[i].object)
                o = p->now.at[k];
        }
        if (o == p->facts.table)
            o = NULL;
    }
    return o != p->facts.table ? o : NULL;
}

void questions_ask(struct arena *a, struct sqlite_analysis *p, const struct statement *s,
                   const struct effects *e)
{
    const struct sqlite_scratch *heard = p->scratch;
    bool is_change = heard->does_update || heard->does_delete;
    bool is_rows =
        state_is_kind(s, "UPDATE") || state_is_kind(s, "DELETE") || state_is_kind(s, "WITH");
    bool is_insert =
        state_is_kind(s, "INSERT") || state_is_kind(s, "REPLACE") || state_is_kind(s, "WITH");
    p->facts.table = objects_find_relation(&p->now, subject_of(&heard->heard));
    p->facts.from = heard->does_insert ? source_of(p, e) : NULL;
    p->facts.returns_rows = is_rows || is_insert ? heard->heard.returns_rows : false;
    ask_quotes(a, p, s);
    if (is_rows && is_change && !heard->does_insert)
        ask_where(a, p, s);
    else if (is_insert && heard->does_insert)
        ask_lists(a, p, s);
    else if (p->facts.alter == ALTER_ADD)
        ask_rows(a, p, s);
}
