/* Which table stands in the place of which. */
#include "planner/sqlite/rebuild.h"

const struct table_copy *rebuild_copy(const struct sqlite_analysis *p,
                                      const struct catalog_relation *from)
{
    for (size_t i = 0; i < p->file.copies.count && from; i++) {
        if (p->file.copies.at[i].from == from)
            return &p->file.copies.at[i];
    }
    return NULL;
}

bool rebuild_moves(const struct sqlite_analysis *p, const struct sqlite_object *old,
                   const struct sqlite_object *made, struct str column)
{
    const struct table_copy *copy = rebuild_copy(p, old->relation);
    bool has_other = false;
    for (size_t i = 0; i < made->columns.count; i++)
        has_other |= !object_column(old, made->columns.at[i].name);
    if (!copy || !has_other)
        return false;
    for (struct str rest = copy->columns; rest.len;) {
        struct str one;
        rest = str_cut(rest, '\n', &one);
        if (str_equal_nocase(one, column))
            return true;
    }
    return false;
}

bool rebuild_is_drop(const struct sqlite_analysis *p, const struct object_event *e)
{
    return e->object->kind == OBJECT_TABLE && !e->object->is_part_of_module &&
           !state_is_new(p, e->object->relation);
}

const struct sqlite_object *rebuild_of(const struct sqlite_analysis *p,
                                       const struct object_event *drop)
{
    struct str name = drop->object->name;
    for (size_t i = p->file.renames.count; i > 0; i--) {
        const struct object_event *rename = &p->file.renames.at[i - 1];
        if (rename->object->relation == drop->object->relation)
            name = rename->object->name; /* the oldest one wins */
    }
    const struct sqlite_object *o = objects_find(&p->now, OBJECT_TABLE, name);
    return o && o->relation != drop->object->relation ? o : NULL;
}

/* Whether these are all columns of its primary key. */
static bool is_key(const struct sqlite_object *table, struct str keys)
{
    unsigned columns = 0;
    bool is_one = false;
    for (size_t i = 0; i < table->columns.count; i++) {
        columns += table->columns.at[i].key != 0;
        is_one |= table->columns.at[i].key && str_equal_nocase(table->columns.at[i].name, keys);
    }
    return columns == 1 && is_one;
}

bool rebuild_has_like(const struct sqlite_analysis *p, const struct sqlite_object *old,
                      const struct sqlite_object *table)
{
    if (objects_find(&p->now, old->kind, old->name))
        return true;
    if (!table || old->kind != OBJECT_INDEX)
        return false;
    for (size_t i = 0; i < p->now.count; i++) {
        const struct sqlite_object *o = p->now.at[i];
        if (o->kind == OBJECT_INDEX && o->owner && o->owner->relation == table->relation &&
            str_equal_nocase(o->keys, old->keys) && o->is_unique >= old->is_unique)
            return true;
    }
    return is_key(table, old->keys);
}

static bool has_word(struct str type, const char *word)
{
    for (; type.len; type = str_skip(type, 1)) {
        if (str_starts_nocase(type, str_of(word)))
            return true;
    }
    return false;
}

const char *rebuild_affinity(struct str type)
{
    if (has_word(type, "INT"))
        return "INTEGER";
    if (has_word(type, "CHAR") || has_word(type, "CLOB") || has_word(type, "TEXT"))
        return "TEXT";
    if (!type.len || has_word(type, "BLOB"))
        return "BLOB";
    if (has_word(type, "REAL") || has_word(type, "FLOA") || has_word(type, "DOUB"))
        return "REAL";
    return "NUMERIC";
}
