/*
 * Whether an index survives a change of its column's type without being built again: with the default
 * operator class of the old type and of the new one being the same, and not one that depends on which
 * type it is used for (indexcmds.c: CheckIndexCompatible, GetDefaultOpClass).
 */
#include "planner/postgres/type_parts.h"

/* The polymorphic type or pseudo-type that operator classes take such a type by; "": none. */
static struct str general_type(const struct type_ref *t)
{
    struct fact f;
    enum type_kind kind = t->user ? t->user->kind : TYPE_UNKNOWN;
    if (t->is_array)
        return STR("anyarray");
    if (!t->user && type_fact(NULL, t, &f))
        kind = (enum type_kind)fact_letter(&f, TYPE_FACT_KIND);
    switch (kind) {
    case TYPE_ENUM:
        return STR("anyenum");
    case TYPE_RANGE:
        return STR("anyrange");
    case TYPE_MULTIRANGE:
        return STR("anymultirange");
    case TYPE_COMPOSITE:
        return STR("record");
    case TYPE_UNKNOWN:
    case TYPE_BASE:
    case TYPE_DOMAIN:
    case TYPE_PSEUDO:
        break;
    }
    return (struct str){0};
}

static bool is_implicit_relabel(const struct catalog *c, const struct type_ref *from,
                                struct str to_name)
{
    struct type_ref to = type_of_fact(to_name);
    return type_cast_path(c, from, &to, CAST_IMPLICIT, NULL) == PATH_RELABEL;
}

static bool is_preferred(const struct catalog *c, const struct type_ref *t, struct str name)
{
    struct fact f;
    return facts_type(c, name, false, &f) && fact_letter(&f, TYPE_FACT_PREFERRED) == 'p' &&
           fact_letter(&f, TYPE_FACT_CATEGORY) == type_category(c, t);
}

/* The default class of a type that is no domain; false: none, or several. */
static bool default_opclass(const struct catalog *c, struct str method, const struct type_ref *t,
                            struct fact *out)
{
    struct facts search = facts_of(c, FACT_OPCLASSES, method);
    struct fact f;
    struct str general = general_type(t);
    size_t count = 0;
    bool has_preferred = false;
    while (facts_next(&search, &f)) {
        struct str name = f.column[OPCLASS_TYPE];
        if (fact_letter(&f, OPCLASS_DEFAULT) != 'd')
            continue;
        if (type_named(t, name)) {
            *out = f;
            return true;
        }
        if (!(general.len && str_equal(general, name)) && !is_implicit_relabel(c, t, name))
            continue;
        bool is_better = is_preferred(c, t, name);
        if (!has_preferred || is_better)
            *out = f;
        count++;
        has_preferred |= is_better;
    }
    return has_preferred || count == 1;
}

static bool is_polymorphic(struct str name)
{
    return str_starts(name, STR("any"));
}

static bool named_opclass(const struct catalog *c, struct str method, struct str opclass,
                          struct fact *out)
{
    size_t dot = str_find_char(opclass, '.');
    struct str name = dot == SIZE_MAX ? opclass : str_skip(opclass, dot + 1);
    struct facts search = facts_of(c, FACT_OPCLASSES, method);
    while (facts_next(&search, out)) {
        if (str_equal(out->column[OPCLASS_NAME], name))
            return true;
    }
    return false;
}

struct str opclass_unless_default(const struct catalog *c, struct str method, struct str opclass)
{
    struct fact f;
    bool is_default = opclass.len && named_opclass(c, method, opclass, &f) &&
                      fact_letter(&f, OPCLASS_DEFAULT) == 'd';
    return is_default ? (struct str){0} : opclass;
}

/* Texts have a collation, most others none. */
static bool is_collatable(const struct catalog *c, const struct type_ref *t)
{
    struct fact f;
    return type_fact(c, t, &f) && fact_letter(&f, TYPE_FACT_COLLATABLE) == 'c';
}

bool type_change_rebuilds_index(const struct catalog *c, const struct type_ref *from,
                                const struct type_ref *to, struct str method, struct str opclass)
{
    struct type_ref old = type_base(from);
    struct type_ref new = type_base(to);
    struct fact old_class;
    struct fact new_class;
    if (!method.len)
        method = STR("btree");
    bool is_known = opclass.len ? named_opclass(c, method, opclass, &old_class)
                                : default_opclass(c, method, &old, &old_class);
    if (!is_known)
        return !type_same(from, to);
    /* One that was written out stays what it is, unless it was the default: then it was not written. */
    if (is_collatable(c, &old) != is_collatable(c, &new))
        return true;
    bool is_same = type_same(from, to);
    if (!is_same && (!opclass.len || fact_letter(&old_class, OPCLASS_DEFAULT) == 'd')) {
        if (!default_opclass(c, method, &new, &new_class))
            return true;
        if (!str_equal(old_class.column[OPCLASS_NAME], new_class.column[OPCLASS_NAME]))
            return true;
    }
    /* The type in the index, which may be that of elements, is held against the column's. */
    return is_polymorphic(old_class.column[OPCLASS_TYPE]) &&
           (!is_same || old_class.column[OPCLASS_KEY].len > 0);
}
