/*
 * While foreign keys are not enforced (SQLite's default), dropping, rebuilding or renaming a table,
 * or deleting rows, can leave rows without parents, and nobody notices. The authorizer tells, when
 * a statement is prepared, which tables it touches in such a way; before it runs, the children of
 * those tables are inspected; before COMMIT they are inspected again, and rows that have lost their
 * parents in between refuse it. Children of tables that nothing touched cannot have changed and are
 * not read: a thousand plain CREATE TABLE cost nothing here.
 *
 * Where the file itself speaks of enforcement (ENFORCEMENT_OFF, ON_LATER), inserts and updates are
 * watched as well.
 */
#include "drivers/sqlite/connection.h"

/* Rowids kept for one child; beyond that only numbers of rows are compared. */
#define ROWIDS_KEPT 100000
#define SAMPLES 3

static struct touched_table *find_touched(struct connection *c, struct str name)
{
    for (size_t i = 0; i < c->guard.touched_count; i++) {
        if (str_equal_nocase(c->guard.touched[i].name, name))
            return &c->guard.touched[i];
    }
    return NULL;
}

/* ---- what a statement is about to do ---- */

static bool is_named(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal_nocase(names[i], name))
            return true;
    }
    return false;
}

static void note_name(struct connection *c, struct str **names, size_t *count, size_t *room,
                      const char *name)
{
    if (is_named(*names, *count, str_of(name)))
        return;
    if (*count == *room)
        *names = vec_grow(c->scratch, *names, sizeof(**names), room);
    (*names)[(*count)++] = arena_str(c->scratch, str_of(name));
}

/* A table whose role is known already need not be noted again: that bounds memory by the number of
   tables, not of statements. */
static bool is_known(struct connection *c, const char *name, bool as_child)
{
    const struct touched_table *t = find_touched(c, str_of(name));
    return t && t->as_parent && (t->as_child || !as_child);
}

/* Pragmas that leave nothing in the session, or something that is put back without closing it, or
   that ends with the transaction. All others with a value make the session one to be replaced. */
static bool is_harmless_pragma(const char *name)
{
    static const char *const harmless[] = {
        "application_id",   "data_version",   "defer_foreign_keys", "foreign_key_check",
        "foreign_key_list", "foreign_keys",   "incremental_vacuum", "index_info",
        "index_list",       "index_xinfo",    "integrity_check",    "optimize",
        "quick_check",      "table_info",     "table_list",         "table_xinfo",
        "user_version",     "wal_checkpoint",
    };
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        if (str_equal_nocase(str_of(name), str_of(harmless[i])))
            return true;
    }
    return false;
}

static void note_session(struct connection *c, int action, const char *first, const char *second)
{
    switch (action) {
    case SQLITE_PRAGMA:
        if (second && !is_harmless_pragma(first))
            c->is_session_changed = true;
        if (second && str_equal_nocase(str_of(first), STR("journal_mode")))
            c->observed.sets_journal = true;
        return;
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
        c->is_session_changed = true;
        return;
    default:
        return;
    }
}

static void note_table(struct connection *c, int action, const char *first, const char *second)
{
    struct observation *o = &c->observed;
    switch (action) {
    case SQLITE_DROP_TABLE:
        note_name(c, &o->dropped, &o->dropped_count, &o->dropped_room, first);
        return;
    case SQLITE_DELETE:
        if (o->wants_writes && !is_known(c, first, false))
            note_name(c, &o->deleted, &o->deleted_count, &o->deleted_room, first);
        return;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
        if (o->wants_writes && c->watches_writes && !is_known(c, first, true))
            note_name(c, &o->written, &o->written_count, &o->written_room, first);
        return;
    case SQLITE_ALTER_TABLE:
        o->altered = arena_str(c->scratch, str_of(second));
        return;
    default:
        return;
    }
}

/* https://www.sqlite.org/c3ref/c_alter_table.html lists what the arguments are for each action. */
static int observe(void *context, int action, const char *first, const char *second,
                   const char *database, const char *trigger)
{
    struct connection *c = context;
    (void)trigger;
    if (!c->observed.is_on || action == SQLITE_READ || action == SQLITE_SELECT)
        return SQLITE_OK;
    note_session(c, action, first, second);
    if (action == SQLITE_FUNCTION && second && strcmp(second, "sqlite_rename_table") == 0)
        c->observed.renames_table = true; /* how ALTER TABLE … RENAME TO does its work */
    /* Both ALTER TABLE and the rest name the database "main", in different places. */
    bool is_alter = action == SQLITE_ALTER_TABLE;
    const char *where = is_alter ? first : database;
    if (where && strcmp(where, "main") == 0 && (is_alter ? second : first) &&
        !str_starts_nocase(str_of(is_alter ? second : first), STR("sqlite_")))
        note_table(c, action, first, second);
    return SQLITE_OK;
}

void sqlite_guard_install(struct connection *c)
{
    (void)sqlite3_set_authorizer(c->db, observe, c);
}

void sqlite_observe_start(struct connection *c)
{
    bool is_open = !sqlite3_get_autocommit(c->db);
    c->observed = (struct observation){
        .is_on = true,
        .wants_writes = is_open && !sqlite_foreign_keys_get(c),
    };
}

void sqlite_observe_end(struct connection *c)
{
    c->observed.is_on = false;
}

/* ---- before and behind a statement ---- */

static bool inspect(struct connection *c, struct str child, struct fail *f)
{
    struct guard *g = &c->guard;
    if (is_named(g->inspected, g->inspected_count, child))
        return true;
    child = arena_str(c->scratch, child);
    if (g->inspected_count == g->inspected_room)
        g->inspected = vec_grow(c->scratch, g->inspected, sizeof(child), &g->inspected_room);
    g->inspected[g->inspected_count++] = child;
    return sqlite_orphans_read(c->scratch, c, child, ROWIDS_KEPT, &g->before, f);
}

static bool is_concerned(struct connection *c, struct str child, struct str parent)
{
    const struct touched_table *as_child = find_touched(c, child);
    const struct touched_table *as_parent = find_touched(c, parent);
    return (as_child && as_child->as_child) || (as_parent && as_parent->as_parent);
}

/* Adds to what is known to be touched, and inspects the children that this concerns. */
static bool touch(struct connection *c, struct touched_table what, struct fail *f)
{
    struct guard *g = &c->guard;
    struct touched_table *t = find_touched(c, what.name);
    if (t && t->as_child >= what.as_child && t->as_parent >= what.as_parent &&
        t->is_rebuilt >= what.is_rebuilt)
        return true;
    if (!t) {
        if (g->touched_count == g->touched_room)
            g->touched = vec_grow(c->scratch, g->touched, sizeof(*t), &g->touched_room);
        t = &g->touched[g->touched_count++];
        *t = (struct touched_table){.name = arena_str(c->scratch, what.name),
                                    .by = sqlite_place_now(c)};
    }
    t->as_child |= what.as_child;
    t->as_parent |= what.as_parent;
    t->is_rebuilt |= what.is_rebuilt;
    for (size_t i = 0; i < c->keys.count; i++) {
        const struct foreign_key *k = &c->keys.at[i];
        if (is_concerned(c, k->child, k->parent) && !inspect(c, k->child, f))
            return false;
    }
    return true;
}

static bool touch_all(struct connection *c, const struct str *names, size_t count,
                      struct touched_table how, struct fail *f)
{
    for (size_t i = 0; i < count; i++) {
        how.name = names[i];
        if (!touch(c, how, f))
            return false;
    }
    return true;
}

static bool read_rootpage(struct connection *c, struct str table, int64_t *out, struct fail *f)
{
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    *out = 0;
    if (!sqlite_query(c, QUERY_TABLE_ROOTPAGE, &s, f))
        return false;
    sqlite_bind(s, 1, table);
    if (!sqlite_step(c, s, &is_row, f))
        return false;
    *out = is_row ? sqlite3_column_int64(s, 0) : 0;
    return true;
}

bool sqlite_guard_before(struct connection *c, struct fail *f)
{
    const struct observation *o = &c->observed;
    c->guard.renamed_rootpage = 0;
    bool is_touching = o->dropped_count || o->deleted_count || o->written_count || o->renames_table;
    if (!is_touching || sqlite3_get_autocommit(c->db) || sqlite_foreign_keys_get(c))
        return true;
    struct touched_table dropped = {.as_child = true, .as_parent = true, .is_rebuilt = true};
    struct touched_table written = {.as_child = true, .as_parent = true};
    struct touched_table deleted = {.as_parent = true};
    if (!sqlite_foreign_keys_read(c, f) ||
        !touch_all(c, o->dropped, o->dropped_count, dropped, f) ||
        !touch_all(c, o->deleted, o->deleted_count, deleted, f) ||
        !touch_all(c, o->written, o->written_count, written, f))
        return false;
    if (!o->renames_table || !o->altered.len)
        return true;
    return touch_all(c, &o->altered, 1, written, f) &&
           read_rootpage(c, o->altered, &c->guard.renamed_rootpage, f);
}

/* What was known of a table before is known of it under its new name, too. */
static void rename_before(struct connection *c, struct str from, struct str to)
{
    struct orphan_list *before = &c->guard.before;
    size_t count = before->count;
    for (size_t i = 0; i < count; i++) {
        struct orphans copy = before->at[i];
        bool is_child = str_equal_nocase(copy.child, from);
        bool is_parent = str_equal_nocase(copy.parent, from);
        copy.child = is_child ? to : copy.child;
        copy.parent = is_parent ? to : copy.parent;
        if ((is_child || is_parent) && !sqlite_orphans_find(before, copy.child, copy.parent))
            vec_push(c->scratch, before, copy);
    }
}

bool sqlite_guard_after(struct connection *c, struct fail *f)
{
    if (!c->guard.renamed_rootpage)
        return true;
    SCOPED(sqlite_in_use) sqlite3_stmt *s = NULL;
    bool is_row;
    if (!sqlite_query(c, QUERY_TABLE_OF_ROOTPAGE, &s, f))
        return false;
    sqlite3_bind_int64(s, 1, c->guard.renamed_rootpage);
    if (!sqlite_step(c, s, &is_row, f))
        return false;
    c->guard.renamed_rootpage = 0;
    if (!is_row || !sqlite_foreign_keys_read(c, f))
        return !fail_is_set(f);
    struct str name = arena_str(c->scratch, sqlite_text(s, 0));
    struct guard *g = &c->guard;
    if (!is_named(g->inspected, g->inspected_count, name)) {
        rename_before(c, c->observed.altered, name);
        if (g->inspected_count == g->inspected_room)
            g->inspected = vec_grow(c->scratch, g->inspected, sizeof(name), &g->inspected_room);
        g->inspected[g->inspected_count++] = name;
    }
    struct touched_table renamed = {.as_child = true, .as_parent = true, .name = name};
    return touch(c, renamed, f);
}

/* ---- before COMMIT ---- */

static int compare_orphans(const void *a, const void *b)
{
    const struct orphan *left = a;
    const struct orphan *right = b;
    if (left->rowid != right->rowid)
        return left->rowid < right->rowid ? -1 : 1;
    return (left->key > right->key) - (left->key < right->key);
}

struct new_orphans {
    int64_t count;
    int64_t samples[SAMPLES];
    size_t sample_count;
};

static void count_one(struct new_orphans *n, const struct orphan *o)
{
    n->count++;
    if (n->sample_count < SAMPLES)
        n->samples[n->sample_count++] = o->rowid;
}

/* Row by row where rowids mean the same before and after, else by number. */
static struct new_orphans subtract(struct orphans *before, const struct orphans *after,
                                   bool is_rebuilt)
{
    struct new_orphans n = {0};
    if (before && !is_rebuilt && before->has_rowids && after->has_rowids) {
        qsort(before->at, before->at_count, sizeof(*before->at), compare_orphans);
        for (size_t i = 0; i < after->at_count; i++) {
            if (!bsearch(&after->at[i], before->at, before->at_count, sizeof(*before->at),
                         compare_orphans))
                count_one(&n, &after->at[i]);
        }
        return n;
    }
    for (size_t i = 0; i < after->at_count && i < SAMPLES; i++)
        count_one(&n, &after->at[i]);
    n.count = after->count - (before ? before->count : 0);
    return n;
}

static struct fail *refuse(const struct orphans *o, const struct new_orphans *n, struct fail *f)
{
    SCOPED(buf) struct buf rowids = {0};
    const char *rows = n->count == 1 ? "row" : "rows";
    fail_set(f, EXIT_FAILED, "%lld %s of \"%.*s\" would refer to rows that \"%.*s\" does not have",
             (long long)n->count, rows, STR_ARG(o->child), STR_ARG(o->parent));
    for (size_t i = 0; i < n->sample_count; i++)
        buf_printf(&rowids, "%s%lld", i ? ", " : "", (long long)n->samples[i]);
    if (n->sample_count)
        fail_detail(f,
                    "%s of \"%.*s\": %s%s. PRAGMA foreign_key_check found them behind the last "
                    "statement, and not before the first.",
                    n->count == 1 ? "Rowid" : "Rowids", STR_ARG(o->child), buf_cstr(&rowids),
                    (int64_t)n->sample_count < n->count ? ", …" : "");
    fail_hint(f,
              "Foreign keys are not enforced in this transaction, so SQLite itself would keep "
              "silent. Correct or delete these rows in the same migration; where ON DELETE or ON "
              "UPDATE was to do it, put PRAGMA foreign_keys = ON at the top of a file of its own.");
    (void)fail_kind_set(f, FAIL_SERVER);
    return f;
}

/* The statement that first touched the parent or the child, whichever came later: before it, rows had
   their parents or nobody had looked. */
static const struct place *suspect(struct connection *c, const struct orphans *o)
{
    const struct touched_table *child = find_touched(c, o->child);
    const struct touched_table *parent = find_touched(c, o->parent);
    if (!child || !child->as_child)
        return &parent->by;
    if (!parent || !parent->as_parent || parent->by.line < child->by.line)
        return &child->by;
    return &parent->by;
}

static bool compare_child(struct connection *c, struct str child, struct fail *f)
{
    struct orphan_list after = {0};
    if (!sqlite_orphans_read(c->scratch, c, child, ROWIDS_KEPT, &after, f))
        return false;
    const struct touched_table *t = find_touched(c, child);
    for (size_t i = 0; i < after.count; i++) {
        const struct orphans *o = &after.at[i];
        if (!is_concerned(c, o->child, o->parent))
            continue;
        struct orphans *before = sqlite_orphans_find(&c->guard.before, o->child, o->parent);
        struct new_orphans n = subtract(before, o, t && t->is_rebuilt);
        if (n.count > 0) {
            sqlite_blame(suspect(c, o), refuse(o, &n, f));
            return false;
        }
    }
    return true;
}

bool sqlite_guard_commit(struct connection *c, struct fail *f)
{
    struct str compared = STR("");
    if (!c->guard.touched_count)
        return true;
    if (!sqlite_foreign_keys_read(c, f))
        return false;
    for (size_t i = 0; i < c->keys.count; i++) {
        const struct foreign_key *k = &c->keys.at[i];
        /* The keys of one child stand together. */
        if (str_equal(k->child, compared) || !is_concerned(c, k->child, k->parent))
            continue;
        compared = k->child;
        if (!compare_child(c, k->child, f))
            return false;
    }
    return true;
}
