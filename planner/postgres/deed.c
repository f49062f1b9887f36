/* What all effects are told with. */
#include "core/base/buf.h"
#include "planner/postgres/types.h"
#include "planner/postgres/visited.h"

/* ---- finding what a tree names ---- */

bool deed_is_system(struct str schema, struct str name)
{
    if (schema.len)
        return str_equal(schema, STR("pg_catalog")) ||
               str_equal(schema, STR("information_schema")) || str_equal(schema, STR("pg_toast"));
    return str_starts(name, STR("pg_"));
}

/* Where the search_path of a role or a database is not known, it may be found there all the same. */
static void find_fails(struct deed *d, struct str schema, struct str name)
{
    const struct catalog_relation *other = NULL;
    for (size_t i = 0;
         !schema.len && !other && d->catalog->is_complete && i < d->catalog->relations.count; i++) {
        const struct catalog_relation *r = d->catalog->relations.at[i];
        other = !r->is_dropped && str_equal(r->name, name) ? r : NULL;
    }
    const char *text = arena_cstr(d->a, catalog_name_text(d->a, schema, name));
    if (other)
        deed_missing(d, "relation %s is not there; %.*s is: name the schema, or SET search_path",
                     text, STR_ARG(catalog_relation_text(d->a, other)));
    else
        deed_missing(d, "relation %s is not there", text);
}

static struct catalog_relation *find(struct deed *d, struct str schema, struct str name,
                                     bool is_missing_ok)
{
    struct catalog_relation *r = catalog_find_relation(d->catalog, schema, name);
    if (!r && !is_missing_ok && !deed_is_system(schema, name))
        find_fails(d, schema, name);
    return r;
}

struct catalog_relation *deed_relation(struct deed *d, const PgQuery__RangeVar *name,
                                       bool is_missing_ok)
{
    if (!name)
        return NULL;
    return find(d, str_of(name->schemaname), str_of(name->relname), is_missing_ok);
}

static struct str string_of(const PgQuery__Node *node)
{
    bool is_string = node && node->node_case == PG_QUERY__NODE__NODE_STRING;
    return str_of(is_string ? node->string->sval : NULL);
}

void deed_split_name(PgQuery__Node *const *names, size_t count, struct str *out_schema,
                     struct str *out_name)
{
    *out_name = count ? string_of(names[count - 1]) : (struct str){0};
    *out_schema = count > 1 ? string_of(names[count - 2]) : (struct str){0};
}

struct catalog_relation *deed_relation_by_names(struct deed *d, PgQuery__Node *const *names,
                                                size_t count, bool is_missing_ok)
{
    struct str schema;
    struct str name;
    deed_split_name(names, count, &schema, &name);
    return find(d, schema, name, is_missing_ok);
}

struct type_ref deed_type(struct deed *d, const PgQuery__TypeName *name)
{
    return type_resolve(d->catalog, name, NULL);
}

struct catalog_expression deed_keep_expression(struct deed *d, const PgQuery__Node *tree)
{
    return (struct catalog_expression){
        .tree = tree ? parse_node_copy(d->catalog->arena, tree) : NULL,
    };
}

/* ---- names that the server chooses ---- */

enum { NAME_BYTES_MAX = 63 };

/* Shorter by whole characters. */
static size_t clip(struct str s, size_t len)
{
    while (len > 0 && len < s.len && ((unsigned char)s.at[len] & 0xC0) == 0x80)
        len--;
    return len;
}

/* makeObjectName(): the longer of the two gives way, byte by byte. */
static struct str object_name(struct arena *a, struct str name1, struct str name2,
                              const char *label, unsigned number)
{
    SCOPED(buf) struct buf tail = {0};
    buf_printf(&tail, "_%s", label);
    if (number)
        buf_printf(&tail, "%u", number);
    size_t room = NAME_BYTES_MAX - tail.len - (name2.len ? 1 : 0);
    size_t len1 = name1.len;
    size_t len2 = name2.len;
    while (len1 + len2 > room) {
        if (len1 > len2)
            len1--;
        else
            len2--;
    }
    SCOPED(buf) struct buf out = {0};
    buf_add(&out, name1.at, clip(name1, len1));
    if (name2.len) {
        buf_add_char(&out, '_');
        buf_add(&out, name2.at, clip(name2, len2));
    }
    buf_add_str(&out, buf_str(&tail));
    return buf_done(a, &out);
}

struct str deed_choose_name(struct deed *d, struct str schema, struct str name1, struct str name2,
                            const char *label, const struct str *taken, size_t taken_count)
{
    for (unsigned number = 0;; number++) {
        struct arena_mark mark = arena_mark(d->a);
        struct str name = object_name(d->a, name1, name2, label, number);
        bool is_taken = catalog_find_relation(d->catalog, schema, name) != NULL;
        for (size_t i = 0; i < taken_count && !is_taken; i++)
            is_taken = str_equal(taken[i], name);
        if (!is_taken)
            return name;
        arena_reset(d->a, mark); /* ten thousand names would be fifty million */
    }
}

/* ---- saying what happens ---- */

static bool is_index_or_sequence(enum relation_kind kind)
{
    return kind == RELATION_INDEX || kind == RELATION_PARTITIONED_INDEX ||
           kind == RELATION_SEQUENCE;
}

void deed_lock(struct deed *d, const struct catalog_relation *r, enum lock_mode mode, bool is_named)
{
    /* Minor releases differ in AccessShareLock on these, and it holds up nobody. */
    if (!r || mode == LOCK_NONE || (is_index_or_sequence(r->kind) && mode == LOCK_ACCESS_SHARE))
        return;
    struct effect_lock lock = {
        .relation = catalog_relation_text(d->a, r),
        .kind = r->kind,
        .mode = mode,
        .object = r,
        .is_named = is_named,
    };
    effects_add_lock(d->a, d->effects, &lock);
}

void deed_lock_name(struct deed *d, const PgQuery__RangeVar *name, enum lock_mode mode)
{
    if (!name || !name->relname || !name->relname[0])
        return;
    struct str schema = str_of(name->schemaname);
    if (deed_is_system(schema, str_of(name->relname)))
        return;
    if (!schema.len)
        schema = catalog_creation_schema(d->catalog);
    struct effect_lock lock = {
        .relation = catalog_name_text(d->a, schema, str_of(name->relname)),
        .mode = mode,
        .is_named = true,
    };
    effects_add_lock(d->a, d->effects, &lock);
}

bool deed_is_next(struct deed *d, struct visited *done, const struct catalog_relation *child)
{
    return !child->is_dropped && (child->parents.count < 2 || visited_add(d->a, done, child));
}

bool deed_enters(struct deed *d)
{
    if (d->entered < DEED_ENTERED_MAX) {
        d->entered++;
        return true;
    }
    deed_opaque(d, "too many views, rules and functions within each other");
    return false;
}

struct child_walk {
    struct deed *d;
    deed_visitor *visit;
    void *context;
    struct visited done; /* those that have several parents: the others are met once */
};

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static void walk_children(struct child_walk *w, const struct catalog_relation *r)
{
    for (size_t i = 0; i < r->children.count; i++) {
        struct catalog_relation *child = r->children.at[i];
        if (deed_is_next(w->d, &w->done, child) && w->visit(w->d, child, w->context))
            walk_children(w, child);
    }
}

void deed_each_child(struct deed *d, const struct catalog_relation *r, deed_visitor *visit,
                     void *context)
{
    struct child_walk w = {.d = d, .visit = visit, .context = context};
    walk_children(&w, r);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the inheritance */
static bool find_above(struct deed *d, const struct catalog_relation *r,
                       const struct catalog_relation *one, struct visited *done)
{
    if (r == one)
        return true;
    if (r->children.count > 1 && !visited_add(d->a, done, r))
        return false;
    for (size_t i = 0; i < r->parents.count; i++) {
        if (find_above(d, r->parents.at[i], one, done))
            return true;
    }
    return false;
}

bool deed_is_or_inherits(struct deed *d, const struct catalog_relation *r,
                         const struct catalog_relation *one)
{
    struct visited done = {0};
    return find_above(d, r, one, &done);
}

static bool lock_child(struct deed *d, struct catalog_relation *r, void *context)
{
    const enum lock_mode *mode = context;
    deed_lock(d, r, *mode, false);
    return true;
}

void deed_lock_tree(struct deed *d, const struct catalog_relation *r, enum lock_mode mode,
                    bool is_named)
{
    deed_lock(d, r, mode, is_named);
    if (r)
        deed_each_child(d, r, lock_child, &mode);
}

bool deed_has_rows(const struct catalog_relation *r)
{
    return r->rows == ROWS_SOME || r->rows == ROWS_UNKNOWN;
}

void deed_rewrite(struct deed *d, const struct catalog_relation *r, const char *why)
{
    deed_lock(d, r, LOCK_ACCESS_EXCLUSIVE, false);
    effects_add_rewrite(d->a, d->effects, r, why);
    effects_add_scan(d->a, d->effects, r, why);
    for (size_t i = 0; i < r->indexes.count; i++) {
        const struct catalog_relation *index = r->indexes.at[i];
        if (index->is_dropped)
            continue;
        deed_lock(d, index, LOCK_ACCESS_EXCLUSIVE, false);
        deed_build(d, index, why);
    }
}

void deed_scan(struct deed *d, const struct catalog_relation *r, const char *why)
{
    effects_add_scan(d->a, d->effects, r, why);
}

void deed_scan_rows(struct deed *d, const struct catalog_relation *r, const char *why)
{
    if (deed_has_rows(r))
        effects_add_scan(d->a, d->effects, r, why);
}

void deed_build(struct deed *d, const struct catalog_relation *index, const char *why)
{
    const struct catalog_relation *table = index->index ? index->index->table : NULL;
    if (!table || !deed_has_rows(table))
        return;
    effects_add_scan(d->a, d->effects, table, why);
    effects_add_build(d->a, d->effects, index, why);
}

void deed_build_new(struct deed *d, const struct catalog_relation *table, struct str index_name,
                    const char *why)
{
    if (!deed_has_rows(table))
        return;
    effects_add_scan(d->a, d->effects, table, why);
    const struct catalog_relation index = {.schema = table->schema, .name = index_name};
    effects_add_build(d->a, d->effects, &index, why);
    d->effects->builds.at[d->effects->builds.count - 1].object = NULL;
}

void deed_opaque(struct deed *d, const char *what)
{
    if (!d->effects->opaque)
        d->effects->opaque = arena_cstr(d->a, str_of(what));
}

void deed_missing(struct deed *d, const char *format, ...)
{
    if (d->effects->missing || !d->catalog->is_complete)
        return;
    va_list values;
    va_start(values, format);
    d->effects->missing = arena_vprintf(d->a, format, values);
    va_end(values);
}

void deed_fails(struct deed *d, const char *format, ...)
{
    if (d->effects->failure)
        return;
    va_list values;
    va_start(values, format);
    d->effects->failure = arena_vprintf(d->a, format, values);
    va_end(values);
}
