/*
 * UPDATE and DELETE of many rows: range by range of the rowid, or of the primary key of a table without one.
 * Each row is changed once, since the checkpoint is committed with its batch; what the statement reads
 * besides the row itself must not change by that. Where that cannot be proved the author may vouch for it,
 * with `-- migrate: batch key=…`.
 */
#include "planner/sqlite/rewrite.h"

#include "core/base/buf.h"

struct dml {
    struct sqlite_rewrite *r;
    size_t set;   /* token: SET; of a DELETE, that behind the table */
    size_t where; /* token: WHERE, or the count */
    bool is_delete;
    bool is_vouched_for;
    struct online_range range;
};

/* ---- the key ---- */

/* The name by which the rowid can be asked for, where it has none of its own; "": a column has each. */
static struct str rowid_name(const struct sqlite_object *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!object_column(table, str_of(names[i])))
            return str_of(names[i]);
    }
    return STR("");
}

/* What is read back as a text is the same value, but for real numbers. */
static bool may_be_real(struct str type)
{
    static const char *const kept[] = {"int", "char", "clob", "text", "blob"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        if (state_has_nocase(type, str_of(kept[i])))
            return false;
    }
    return true;
}

static bool take_primary_key(struct sqlite_rewrite *r, struct online_range *out)
{
    const struct sqlite_object *t = r->table;
    for (unsigned place = 1; place <= t->columns.count; place++) {
        for (size_t i = 0; i < t->columns.count; i++) {
            if (t->columns.at[i].key != place)
                continue;
            if (may_be_real(t->columns.at[i].type))
                return false;
            vec_push(r->a, &out->key, sqlite_identifier(r->a, t->columns.at[i].name));
        }
    }
    return out->key.count > 0;
}

static bool take_key(struct dml *d)
{
    struct sqlite_rewrite *r = d->r;
    const struct sqlite_object *t = r->table;
    d->range.table = sqlite_identifier(r->a, t->name);
    if (t->is_without_rowid || t->has_rowid_alias)
        return take_primary_key(r, &d->range);
    struct str name = rowid_name(t);
    if (name.len)
        vec_push(r->a, &d->range.key, name);
    return name.len > 0;
}

static bool is_in_key(const struct dml *d, struct str column)
{
    for (size_t i = 0; i < d->range.key.count; i++) {
        if (str_equal_nocase(d->range.key.at[i], sqlite_identifier(d->r->a, column)))
            return true;
    }
    return str_equal_nocase(column,
                            STR("rowid")); /* as SQLite reports it, whatever it was called */
}

/* A name without its quotes, of any of the four kinds. */
static struct str unquoted(struct arena *a, struct str name)
{
    static const char open[] = "\"`['";
    static const char close[] = "\"`]'";
    const char *kind = name.len > 1 ? memchr(open, name.at[0], sizeof(open) - 1) : NULL;
    char end = kind ? close[kind - open] : '\0';
    if (!kind || name.at[name.len - 1] != end)
        return name;
    SCOPED(buf) struct buf out = {0};
    for (size_t i = 1; i + 1 < name.len; i++) {
        buf_add_char(&out, name.at[i]);
        if (name.at[i] == end && name.at[i + 1] == end)
            i++;
    }
    return buf_done(a, &out);
}

/* The columns that the author names, where they are the key. */
static bool is_wanted_key(const struct dml *d, struct str wanted)
{
    struct str rest = wanted;
    struct str name;
    size_t k = 0;
    for (; rest.len && k < d->range.key.count; k++) {
        rest = str_cut(rest, ',', &name);
        struct str own = unquoted(d->r->a, d->range.key.at[k]);
        if (!str_equal_nocase(unquoted(d->r->a, str_trim(name)), own))
            return false;
    }
    return !rest.len && k == d->range.key.count;
}

/* ---- what may be done in batches ---- */

/* Functions of date and time: the same through a statement, and for the same arguments, unless they ask for
   the time that it is now. */
static bool is_about_time(struct str name)
{
    static const char *const names[] = {"date",     "time",      "datetime", "julianday",
                                        "strftime", "unixepoch", "timediff"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_equal_nocase(name, str_of(names[i])))
            return true;
    }
    return false;
}

static bool is_current_time(struct str name)
{
    return str_equal_nocase(name, STR("current_timestamp")) ||
           str_equal_nocase(name, STR("current_date")) ||
           str_equal_nocase(name, STR("current_time"));
}

/* A column, or a constant that begins with a digit: 'now' and, from SQLite 3.42 on, 'subsec' ask for the time
   that it is. */
static bool is_given_time(const struct sqlite_rewrite *r, size_t from, size_t to)
{
    bool is_dotted = to == from + 3 && sqlite_rewrite_is(r, from + 1, ".");
    if (to != from + 1 && !is_dotted)
        return false;
    struct str text = r->tokens.at[to - 1].text;
    if (!is_dotted && char_is_digit(text.at[0]))
        return true;
    if (text.at[0] == '\'')
        return text.len > 1 && char_is_digit(text.at[1]);
    return object_column(r->table, unquoted(r->a, text)) != NULL;
}

/* Behind the last token of the argument that begins there. */
static size_t end_of_argument(const struct sqlite_rewrite *r, size_t from)
{
    unsigned depth = from < r->tokens.count ? r->tokens.at[from].depth : 0;
    size_t i = from;
    while (i < r->tokens.count && r->tokens.at[i].depth >= depth &&
           !(r->tokens.at[i].depth == depth && sqlite_rewrite_is(r, i, ",")))
        i++;
    return i;
}

/* A call whose name stands there. Without the argument that says which time, it is now. */
static bool is_call_about_given_time(const struct sqlite_rewrite *r, size_t name)
{
    struct str function = unquoted(r->a, r->tokens.at[name].text);
    bool has_two = str_equal_nocase(function, STR("timediff"));
    size_t first = name + 2;
    size_t end = end_of_argument(r, first);
    if (str_equal_nocase(function, STR("strftime")) || has_two) {
        if (!sqlite_rewrite_is(r, end, ",") || (has_two && !is_given_time(r, first, end)))
            return false;
        first = end + 1;
        end = end_of_argument(r, first);
    }
    return is_given_time(r, first, end);
}

static bool asks_for_now(const struct sqlite_rewrite *r, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < r->tokens.count; i++) {
        bool is_call =
            sqlite_rewrite_is(r, i + 1, "(") && is_about_time(unquoted(r->a, r->tokens.at[i].text));
        if (is_call && !is_call_about_given_time(r, i))
            return true;
    }
    return false;
}

static bool is_deterministic(const struct dml *d, struct str name)
{
    enum { DETERMINISTIC = 0x800 }; /* SQLITE_DETERMINISTIC */
    sqlite3_stmt *q = scratch_ask(d->r->p->scratch,
                                  "SELECT count(*), count(*) FILTER (WHERE flags & %d) FROM "
                                  "pragma_function_list WHERE lower(name) = lower('%q')",
                                  DETERMINISTIC, arena_cstr(d->r->a, name));
    bool is_known = q && sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) > 0;
    bool is_it = is_known && sqlite3_column_int(q, 0) == sqlite3_column_int(q, 1);
    scratch_end(d->r->p->scratch, q);
    return is_it;
}

static bool are_functions_steady(const struct dml *d, const struct scratch_uses *u, bool is_set,
                                 size_t from, size_t to)
{
    for (size_t i = 0; i < u->functions.count; i++) {
        struct str name = u->functions.at[i];
        bool is_time = is_about_time(name) && !(is_set && asks_for_now(d->r, from, to));
        bool is_clock = !is_set && is_current_time(name);
        if (!is_time && !is_clock && (is_about_time(name) || !is_deterministic(d, name)))
            return false;
    }
    return true;
}

/* Of a part of the statement alone, without its triggers: of a query within one of their queries SQLite does
   not say that it is theirs. false: it does not take it for a statement. */
static bool hear_uses(const struct dml *d, const char *sql, struct scratch_uses *out)
{
    struct sqlite_scratch *s = d->r->p->scratch;
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    bool is_fine = scratch_hear_uses(s, d->r->a, sql, out);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
    return is_fine;
}

static bool reads_others(const struct dml *d, const struct scratch_uses *u)
{
    for (size_t i = 0; i < u->reads.count; i++) {
        if (!str_equal_nocase(u->reads.at[i].table, d->r->table->name))
            return true;
    }
    return u->has_query;
}

static bool reads_what_it_sets(const struct scratch_uses *u)
{
    for (size_t i = 0; i < u->reads.count; i++) {
        for (size_t k = 0; k < u->sets.count; k++) {
            if (str_equal_nocase(u->reads.at[i].column, u->sets.at[k].column))
                return true;
        }
    }
    return false;
}

/* A trigger may change rows whose batch is still to come. */
static bool is_written_by_triggers(const struct dml *d)
{
    struct scratch_uses whole;
    const struct sqlite_rewrite *r = d->r;
    if (!scratch_hear_uses(r->p->scratch, r->a, arena_cstr(r->a, r->statement->text), &whole))
        return true;
    for (size_t i = 0; i < whole.written_by_triggers.count; i++) {
        if (str_equal_nocase(whole.written_by_triggers.at[i], r->table->name))
            return true;
    }
    return false;
}

/* A child may be in another batch than its parent. */
static bool refers_to_itself(const struct dml *d)
{
    const char *name = arena_cstr(d->r->a, d->r->table->name);
    sqlite3_stmt *q = scratch_ask(d->r->p->scratch,
                                  "SELECT 1 FROM pragma_foreign_key_list('%q') WHERE "
                                  "lower(\"table\") = lower('%q')",
                                  name, name);
    bool is_found = q && sqlite3_step(q) == SQLITE_ROW;
    scratch_end(d->r->p->scratch, q);
    return is_found;
}

/* A row whose key is set would be met again, or never. */
static bool moves_rows(const struct dml *d, const struct scratch_uses *set)
{
    for (size_t i = 0; i < set->sets.count; i++) {
        if (is_in_key(d, set->sets.at[i].column))
            return true;
    }
    return false;
}

/* The statement in two: what it sets, and which rows. */
static bool hear_parts(const struct dml *d, struct scratch_uses *set, struct scratch_uses *where)
{
    struct sqlite_rewrite *r = d->r;
    size_t table = d->is_delete ? 2 : 1;
    const char *head = arena_cstr(r->a, sqlite_rewrite_piece(r, 0, d->where));
    struct str target = sqlite_rewrite_piece(r, table, d->set);
    struct str condition = sqlite_rewrite_piece(r, d->where + 1, r->tokens.count);
    const char *rows = d->where < r->tokens.count
                           ? arena_printf(r->a, "DELETE FROM %.*s WHERE (%.*s\n)", STR_ARG(target),
                                          STR_ARG(condition))
                           : arena_printf(r->a, "DELETE FROM %.*s", STR_ARG(target));
    return hear_uses(d, head, set) && hear_uses(d, rows, where);
}

static bool is_provable(const struct dml *d, const struct scratch_uses *set,
                        const struct scratch_uses *where)
{
    size_t from = d->is_delete ? d->r->tokens.count : d->set;
    return !reads_others(d, set) && !reads_others(d, where) && !reads_what_it_sets(set) &&
           are_functions_steady(d, set, true, from, d->where) &&
           are_functions_steady(d, where, false, d->where, d->r->tokens.count) &&
           !refers_to_itself(d) && !is_written_by_triggers(d);
}

/* ---- the step ---- */

/* Those that the statement fires, as a clause. */
static const char *trigger_text(const struct dml *d)
{
    SCOPED(buf) struct buf names = {0};
    struct scratch_uses whole;
    struct arena *a = d->r->a;
    size_t count = 0;
    (void)scratch_hear_uses(d->r->p->scratch, a, arena_cstr(a, d->r->statement->text), &whole);
    for (size_t i = 0; i < whole.triggers.count; i++) { /* among them names of WITH */
        struct str name = whole.triggers.at[i];
        if (objects_find(&d->r->p->now, OBJECT_TRIGGER, name))
            buf_printf(&names, "%s%.*s", count++ ? ", " : "", STR_ARG(name));
    }
    return count ? arena_printf(a, "; its trigger%s for each row: %s",
                                count == 1 ? " fires" : "s fire", buf_cstr(&names))
                 : "";
}

static void write_step(const struct dml *d)
{
    struct sqlite_rewrite *r = d->r;
    struct str head = sqlite_rewrite_piece(r, 0, d->where);
    struct str condition = sqlite_rewrite_piece(r, d->where + 1, r->tokens.count);
    SCOPED(buf) struct buf key = {0};
    for (size_t i = 0; i < d->range.key.count; i++)
        buf_printf(&key, "%s%.*s", i ? ", " : "", STR_ARG(d->range.key.at[i]));
    const char *unless = state_row_count(r->p, r->table) < 0
                             ? arena_printf(r->a,
                                            "; with fewer than %d rows in the table, which is not "
                                            "known here, it runs as written",
                                            BATCH_ROWS_MIN)
                             : "";
    const char *does = arena_printf(
        r->a, "in batches by (%s): %s the rows, each batch in a transaction of its own%s%s",
        buf_cstr(&key), d->is_delete ? "deletes" : "changes", trigger_text(d), unless);
    struct online_step *step =
        d->where < r->tokens.count
            ? sqlite_rewrite_step(r, PHASE_BACKFILL, does, "%.*s WHERE (%.*s)", STR_ARG(head),
                                  STR_ARG(condition))
            : sqlite_rewrite_step(r, PHASE_BACKFILL, does, "%.*s WHERE true", STR_ARG(head));
    struct online_range *range = arena_new(r->a, struct online_range);
    *range = d->range;
    step->kind = STEP_BATCHES;
    step->range = range;
}

static struct str vouched_key(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH)
            return s->directives.at[i].key;
    }
    return STR("");
}

/* [main .] table [AS alias]: where the table begins is given. */
static bool take_target(struct dml *d, size_t at)
{
    struct sqlite_rewrite *r = d->r;
    size_t name = sqlite_rewrite_is(r, at + 1, ".") ? at + 2 : at;
    bool has_alias = sqlite_rewrite_is(r, name + 1, "as");
    d->range.alias = has_alias ? arena_str(r->a, sqlite_rewrite_piece(r, name + 2, name + 3))
                               : sqlite_identifier(r->a, r->table->name);
    return d->range.alias.len > 0;
}

static bool is_large(const struct dml *d)
{
    int64_t rows = state_row_count(d->r->p, d->r->table);
    return rows < 0 || rows >= BATCH_ROWS_MIN;
}

static bool write(struct dml *d)
{
    struct sqlite_rewrite *r = d->r;
    struct str key = vouched_key(r->statement);
    size_t count = r->tokens.count;
    d->is_vouched_for = key.len > 0;
    d->where = sqlite_rewrite_find(r, 0, "where");
    bool is_plain = !r->p->facts.returns_rows && sqlite_rewrite_find(r, 0, "limit") == count &&
                    (d->is_vouched_for || sqlite_rewrite_find(r, d->set, "from") == count);
    struct scratch_uses set;
    struct scratch_uses where;
    if (!is_plain || r->p->facts.error || !is_large(d) || !take_key(d) ||
        (d->is_vouched_for && !is_wanted_key(d, key)))
        return false;
    if (d->is_vouched_for) {
        if (!hear_uses(d, arena_cstr(r->a, r->statement->text), &set) || moves_rows(d, &set))
            return false;
    } else if (!hear_parts(d, &set, &where) || moves_rows(d, &set) ||
               !is_provable(d, &set, &where)) {
        return false;
    }
    write_step(d);
    return true;
}

const char *sqlite_rewrite_dml_refusal(struct sqlite_rewrite *r)
{
    struct str key = vouched_key(r->statement);
    struct dml d = {.r = r, .is_delete = sqlite_rewrite_is(r, 0, "delete")};
    bool is_update = sqlite_rewrite_is(r, 0, "update");
    struct scratch_uses uses;
    if (r->p->facts.returns_rows || (!is_update && !d.is_delete))
        return "with WITH or RETURNING it cannot be done in batches";
    if (sqlite_rewrite_is(r, 1, "or") || sqlite_rewrite_find(r, 0, "limit") < r->tokens.count)
        return "with OR or LIMIT it cannot be done in batches";
    if (!take_key(&d))
        return arena_printf(r->a, "the key of %.*s may hold real numbers, or has no name",
                            STR_ARG(r->table->name));
    if (!is_wanted_key(&d, key)) {
        SCOPED(buf) struct buf own = {0};
        for (size_t i = 0; i < d.range.key.count; i++)
            buf_printf(&own, "%s%.*s", i ? ", " : "", STR_ARG(d.range.key.at[i]));
        return arena_printf(r->a, "batches of %.*s go by (%s), not by (%.*s)",
                            STR_ARG(r->table->name), buf_cstr(&own), STR_ARG(key));
    }
    if (hear_uses(&d, arena_cstr(r->a, r->statement->text), &uses) && moves_rows(&d, &uses))
        return "it sets a column of the key";
    return NULL;
}

bool sqlite_rewrite_update(struct sqlite_rewrite *r)
{
    struct dml d = {.r = r, .set = sqlite_rewrite_find(r, 0, "set")};
    /* UPDATE OR …: what becomes of a row depends on those that are changed before it. */
    return sqlite_rewrite_is(r, 0, "update") && !sqlite_rewrite_is(r, 1, "or") &&
           take_target(&d, 1) && write(&d);
}

bool sqlite_rewrite_delete(struct sqlite_rewrite *r)
{
    struct dml d = {.r = r, .is_delete = true, .set = sqlite_rewrite_find(r, 0, "where")};
    return sqlite_rewrite_is(r, 0, "delete") && take_target(&d, 2) && write(&d);
}
