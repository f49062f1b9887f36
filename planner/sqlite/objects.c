/* A tree keeps its first page when its table is renamed: that is how one knows it again. */
#include "planner/sqlite/objects.h"

#include "core/base/vec.h"

struct sqlite_object *objects_find(const struct sqlite_objects *list, enum object_kind kind,
                                   struct str name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i]->kind == kind && str_equal_nocase(list->at[i]->name, name))
            return list->at[i];
    }
    return NULL;
}

struct sqlite_object *objects_find_relation(const struct sqlite_objects *list, struct str name)
{
    struct sqlite_object *table = objects_find(list, OBJECT_TABLE, name);
    return table ? table : objects_find(list, OBJECT_VIEW, name);
}

struct sqlite_object *objects_find_root(const struct sqlite_objects *list, int64_t root,
                                        bool is_temporary)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->at[i]->root == root && list->at[i]->is_temporary == is_temporary)
            return list->at[i];
    }
    return NULL;
}

/* Two of them are one when they share the relation; triggers have none. */
struct sqlite_object *objects_successor(const struct sqlite_objects *list,
                                        const struct sqlite_object *old)
{
    for (size_t i = 0; i < list->count; i++) {
        struct sqlite_object *o = list->at[i];
        bool is_same = old->relation ? o->relation == old->relation
                                     : o->kind == old->kind && str_equal_nocase(o->name, old->name);
        if (is_same)
            return o;
    }
    return NULL;
}

const struct sqlite_column *object_column(const struct sqlite_object *o, struct str name)
{
    for (size_t i = 0; i < o->columns.count; i++) {
        if (str_equal_nocase(o->columns.at[i].name, name))
            return &o->columns.at[i];
    }
    return NULL;
}

/* ---- reading ---- */

static enum object_kind kind_of(struct str type)
{
    return str_equal(type, STR("table"))   ? OBJECT_TABLE
           : str_equal(type, STR("index")) ? OBJECT_INDEX
           : str_equal(type, STR("view"))  ? OBJECT_VIEW
                                           : OBJECT_TRIGGER;
}

static void read_columns(struct arena *a, struct sqlite_scratch *s, struct sqlite_object *o)
{
    enum { NAME = 1, TYPE, NOT_NULL, DEFAULT, KEY, HIDDEN };
    enum { IS_VIRTUAL = 2, IS_STORED = 3 };
    sqlite3_stmt *q = scratch_ask(s, "PRAGMA \"%w\".table_xinfo(\"%w\")",
                                  o->is_temporary ? "temp" : "main", arena_cstr(a, o->name));
    while (q && sqlite3_step(q) == SQLITE_ROW) {
        int hidden = sqlite3_column_int(q, HIDDEN);
        struct sqlite_column column = {
            .name = scratch_text(a, q, NAME),
            .type = scratch_text(a, q, TYPE),
            .default_value = scratch_text(a, q, DEFAULT),
            .is_not_null = sqlite3_column_int(q, NOT_NULL) != 0,
            .is_virtual = hidden == IS_VIRTUAL,
            .is_generated = hidden == IS_VIRTUAL || hidden == IS_STORED,
            .key = (unsigned)sqlite3_column_int(q, KEY),
        };
        vec_push(a, &o->columns, column);
    }
    scratch_end(s, q);
}

static void read_table(struct arena *a, struct sqlite_scratch *s, struct sqlite_object *o)
{
    const char *schema = o->is_temporary ? "temp" : "main";
    const char *name = arena_cstr(a, o->name);
    int is_automatic = 0;
    for (size_t i = 0; i < o->columns.count && !is_automatic; i++)
        (void)sqlite3_table_column_metadata(s->db, schema, name,
                                            arena_cstr(a, o->columns.at[i].name), NULL, NULL, NULL,
                                            NULL, &is_automatic);
    o->is_autoincrement = is_automatic != 0;
    sqlite3_stmt *q =
        scratch_ask(s, "SELECT wr, strict, type FROM pragma_table_list('%q') WHERE schema = '%q'",
                    name, schema);
    if (q && sqlite3_step(q) == SQLITE_ROW) {
        o->is_without_rowid = sqlite3_column_int(q, 0) != 0;
        o->is_strict = sqlite3_column_int(q, 1) != 0;
        o->is_module = str_equal(scratch_text(a, q, 2), STR("virtual"));
        o->is_part_of_module = str_equal(scratch_text(a, q, 2), STR("shadow"));
    }
    scratch_end(s, q);
    /* A key that is the rowid needs no index of its own. */
    q = scratch_ask(s,
                    "SELECT EXISTS (SELECT 1 FROM pragma_table_info('%q', '%q') WHERE pk) AND NOT "
                    "EXISTS (SELECT 1 FROM pragma_index_list('%q', '%q') WHERE origin = 'pk')",
                    name, schema, name, schema);
    o->has_rowid_alias =
        q && sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) && !o->is_without_rowid;
    scratch_end(s, q);
}

static void read_index(struct arena *a, struct sqlite_scratch *s, struct sqlite_object *o)
{
    const char *schema = o->is_temporary ? "temp" : "main";
    const char *name = arena_cstr(a, o->name);
    sqlite3_stmt *q = scratch_ask(
        s, "SELECT \"unique\", partial FROM pragma_index_list('%q', '%q') WHERE name = '%q'",
        arena_cstr(a, o->table), schema, name);
    if (q && sqlite3_step(q) == SQLITE_ROW) {
        o->is_unique = sqlite3_column_int(q, 0) != 0;
        o->is_partial = sqlite3_column_int(q, 1) != 0;
    }
    scratch_end(s, q);
    q = scratch_ask(s,
                    "SELECT group_concat(coalesce(name, '?')) FROM pragma_index_info('%q', '%q')",
                    name, schema);
    if (q && sqlite3_step(q) == SQLITE_ROW)
        o->keys = scratch_text(a, q, 0);
    scratch_end(s, q);
}

static struct catalog_relation *make_relation(struct arena *a, const struct sqlite_object *o,
                                              const struct catalog *catalog, bool is_made_up)
{
    static const enum relation_kind kinds[] = {
        [OBJECT_TABLE] = RELATION_TABLE,
        [OBJECT_INDEX] = RELATION_INDEX,
        [OBJECT_VIEW] = RELATION_VIEW,
    };
    struct catalog_relation *r = arena_new(a, struct catalog_relation);
    r->kind = kinds[o->kind];
    r->row_estimate = -1;
    r->size_bytes = r->seq_scans = r->index_scans = r->writes = -1;
    if (o->is_temporary)
        r->persistence = PERSISTENCE_TEMPORARY;
    if (is_made_up)
        return r;
    r->created_in = catalog->migration;
    r->rows = catalog->migration ? ROWS_NONE : ROWS_UNKNOWN;
    return r;
}

/* Stands for what is not read to its end yet. */
static const struct sqlite_object unread;

static struct sqlite_object *find_before(const struct sqlite_objects *old,
                                         const struct sqlite_object *o)
{
    if (o->root)
        return objects_find_root(old, o->root, o->is_temporary);
    for (size_t i = 0; i < old->count; i++) {
        if (!old->at[i]->root && old->at[i]->kind == o->kind &&
            old->at[i]->is_temporary == o->is_temporary &&
            str_equal_nocase(old->at[i]->name, o->name))
            return old->at[i];
    }
    return NULL;
}

static bool is_unchanged(const struct sqlite_object *o, const struct sqlite_object *before)
{
    return str_equal(o->name, before->name) && str_equal(o->table, before->table) &&
           str_equal(o->sql, before->sql);
}

static struct sqlite_object *make_object(struct arena *a, sqlite3_stmt *row)
{
    struct sqlite_object *o = arena_new(a, struct sqlite_object);
    o->kind = kind_of(scratch_text(a, row, 0));
    o->name = scratch_text(a, row, 1);
    o->table = scratch_text(a, row, 2);
    o->root = sqlite3_column_int64(row, 3);
    o->sql = scratch_text(a, row, 4);
    o->is_temporary = sqlite3_column_int(row, 5) != 0;
    return o;
}

/* All that the row of the schema table does not say. */
static void complete(struct arena *a, struct sqlite_scratch *s, const struct catalog *catalog,
                     struct sqlite_object *o, bool is_made_up)
{
    if (o->kind == OBJECT_TABLE || o->kind == OBJECT_VIEW)
        read_columns(a, s, o);
    if (o->kind == OBJECT_TABLE)
        read_table(a, s, o);
    if (o->kind == OBJECT_INDEX)
        read_index(a, s, o);
    if (o->before) {
        o->relation = o->before->relation;
        o->is_made_up = o->before->is_made_up;
        o->line = o->before->line;
        o->was_renamed = o->before->was_renamed || !str_equal(o->name, o->before->name);
    } else {
        o->is_made_up = is_made_up;
        if (o->kind != OBJECT_TRIGGER)
            o->relation = make_relation(a, o, catalog, is_made_up);
    }
    if (o->relation)
        o->relation->name = o->name;
}

struct sqlite_objects objects_read(struct arena *a, struct sqlite_scratch *s,
                                   const struct catalog *catalog, const struct sqlite_objects *old,
                                   bool is_made_up)
{
    struct sqlite_objects now = {0};
    sqlite3_stmt *q =
        scratch_ask(s, "SELECT type, name, tbl_name, rootpage, sql, 0 FROM main.sqlite_schema"
                       " WHERE name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' OR type = 'index' UNION ALL "
                       "SELECT type, name, tbl_name, rootpage, sql, 1 FROM temp.sqlite_schema"
                       " WHERE name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' OR type = 'index'");
    while (q && sqlite3_step(q) == SQLITE_ROW) {
        struct sqlite_object *o = make_object(a, q);
        struct sqlite_object *before = find_before(old, o);
        o->before = &unread;
        vec_push(a, &now, before && is_unchanged(o, before) ? before : o);
    }
    scratch_end(s, q);
    for (size_t i = 0; i < now.count; i++) {
        if (now.at[i]->before == &unread) {
            now.at[i]->before = find_before(old, now.at[i]);
            complete(a, s, catalog, now.at[i], is_made_up);
        }
    }
    for (size_t i = 0; i < now.count; i++) {
        struct sqlite_object *o = now.at[i];
        if (o->kind == OBJECT_INDEX || o->kind == OBJECT_TRIGGER)
            o->owner = objects_find_relation(&now, o->table);
    }
    return now;
}
