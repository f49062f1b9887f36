/* Keys for ranges of a table. Sources: btree/nbtutils.c (row comparisons), nodeTidrangescan.c. */
#include "planner/postgres/rewrite_batch.h"

#include "core/base/vec.h"
#include "planner/rules.h"

/* Types whose order no extension defines, and whose values are the same when they are read back as text.
   float4 and float8 depend on extra_float_digits, interval on IntervalStyle. */
static const char *const key_types[] = {
    "int2",   "int4", "int8", "oid",       "numeric",     "text",  "varchar",
    "bpchar", "uuid", "date", "timestamp", "timestamptz", "bytea",
};
/* Row comparison takes any number; longer keys make long statements. */
#define KEY_COLUMNS_MAX 8
/* Ranges of pages: since nodeTidrangescan.c. */
#define PAGES_SINCE 14

bool rewrite_is_large(const struct rewrite *r, const struct catalog_relation *table)
{
    enum { SMALL_BYTES = 1 << 20 };
    if (!table || !catalog_may_have_rows(table) || rules_is_new(r->catalog, table))
        return false;
    if (table->row_estimate >= 0)
        return table->row_estimate >= BATCH_ROWS_MIN;
    return table->size_bytes < 0 || table->size_bytes >= SMALL_BYTES;
}

static bool is_comparable(const struct catalog_column *column)
{
    for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
        if (!column->type.is_array && str_equal(column->type.builtin, str_of(key_types[i])))
            return column->is_not_null;
    }
    return false;
}

/* A valid btree over plain columns, all rows of it. */
static bool is_whole_btree(const struct catalog_relation *index)
{
    const struct catalog_index *i = index->index;
    if (index->is_dropped || !i->is_valid || i->keys.count == 0 ||
        catalog_has_expression(&i->predicate) ||
        (i->method.len && !str_equal(i->method, STR("btree"))))
        return false;
    for (size_t k = 0; k < i->keys.count; k++) {
        const struct index_key *key = &i->keys.at[k];
        if (!key->is_included && (!key->column || key->opclass.len || key->is_descending))
            return false;
    }
    return true;
}

static size_t key_count(const struct catalog_index *i)
{
    size_t count = 0;
    while (count < i->keys.count && !i->keys.at[count].is_included)
        count++;
    return count;
}

static bool is_key(const struct catalog_relation *index)
{
    const struct catalog_index *i = index->index;
    if (!is_whole_btree(index) || !i->is_unique || (i->constraint && i->constraint->is_deferrable))
        return false;
    size_t count = key_count(i);
    for (size_t k = 0; k < count; k++) {
        if (!is_comparable(i->keys.at[k].column))
            return false;
    }
    return count <= KEY_COLUMNS_MAX;
}

static void take_columns(struct rewrite *r, const struct catalog_index *index, size_t count,
                         struct online_range *out)
{
    for (size_t k = 0; k < count; k++)
        vec_push(r->a, &out->key, catalog_identifier(r->a, index->keys.at[k].column->name));
}

/* The columns that the author names, in the order of an index that begins with them. */
static bool take_wanted(struct rewrite *r, const struct catalog_relation *table, struct str wanted,
                        struct online_range *out)
{
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct catalog_index *index = table->indexes.at[i]->index;
        struct str rest = wanted;
        struct str name;
        size_t k = 0;
        bool is_it = is_whole_btree(table->indexes.at[i]);
        for (; is_it && rest.len; k++) {
            rest = str_cut(rest, ',', &name);
            const struct catalog_column *column =
                k < key_count(index) ? index->keys.at[k].column : NULL;
            struct str own = column ? column->name : STR("");
            name = str_trim(name);
            is_it = column && is_comparable(column) &&
                    (str_equal(name, catalog_identifier(r->a, own)) || str_equal_nocase(name, own));
        }
        if (is_it && k && k <= KEY_COLUMNS_MAX) {
            take_columns(r, index, k, out);
            return true;
        }
    }
    return false;
}

static bool has_inheritors(const struct catalog_relation *table)
{
    for (size_t i = 0; i < table->children.count; i++) {
        if (!table->children.at[i]->is_dropped)
            return table->kind != RELATION_PARTITIONED_TABLE;
    }
    return false;
}

bool rewrite_range_key(struct rewrite *r, const struct catalog_relation *table, struct str wanted,
                       struct online_range *out)
{
    bool is_partitioned = table->kind == RELATION_PARTITIONED_TABLE;
    if ((table->kind != RELATION_TABLE && !is_partitioned) || has_inheritors(table))
        return false;
    out->table = catalog_relation_text(r->a, table);
    if (wanted.len)
        return take_wanted(r, table, wanted, out);
    const struct catalog_index *best = NULL;
    for (size_t i = 0; i < table->indexes.count; i++) {
        const struct catalog_index *index = table->indexes.at[i]->index;
        if (is_key(table->indexes.at[i]) && (!best || key_count(index) < key_count(best)))
            best = index;
    }
    if (best)
        take_columns(r, best, key_count(best), out);
    return best || (!is_partitioned && r->major >= PAGES_SINCE &&
                    (!table->access_method.len || str_equal(table->access_method, STR("heap"))));
}

bool rewrite_range_has(const struct rewrite *r, const struct online_range *range,
                       const struct catalog_column *column)
{
    for (size_t i = 0; i < range->key.count; i++) {
        if (str_equal(range->key.at[i], catalog_identifier(r->a, column->name)))
            return true;
    }
    return false;
}

void rewrite_step_in_batches(struct rewrite *r, struct online_step *step,
                             const struct online_range *range, const char *does)
{
    struct online_range *own = arena_new(r->a, struct online_range);
    *own = *range;
    step->kind = STEP_BATCHES;
    step->range = own;
    own->skips_triggers = r->skips_triggers;
    const char *triggers = r->triggers_say ? r->triggers_say : "";
    SCOPED(buf) struct buf key = {0};
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(&key, "%s%.*s", i ? ", " : "", STR_ARG(range->key.at[i]));
    step->does =
        key.len ? arena_printf(r->a, "in batches by (%s): %s%s", buf_cstr(&key), does, triggers)
                : arena_printf(r->a, "in batches of pages: %s%s", does, triggers);
}

static bool fires(const struct catalog_trigger *t, unsigned event)
{
    bool is_enabled = t->enabled != 'D' && t->enabled != 'R';
    return !t->is_dropped && is_enabled && t->is_row && (!t->type || (t->type & event));
}

const char *rewrite_trigger_text(struct rewrite *r, const struct catalog_relation *table,
                                 unsigned event)
{
    SCOPED(buf) struct buf names = {0};
    size_t count = 0;
    for (size_t i = 0; i < table->triggers.count; i++) {
        const struct catalog_trigger *t = table->triggers.at[i];
        if (fires(t, event))
            buf_printf(&names, "%s%.*s", count++ ? ", " : "", STR_ARG(t->name));
    }
    return count ? arena_printf(r->a, "; its trigger%s for each row: %s",
                                count == 1 ? " fires" : "s fire", buf_cstr(&names))
                 : "";
}
