/* The catalog's schemas and settings. */
#include "core/model/catalog.h"

void catalog_add_schema(struct catalog *c, struct str name)
{
    if (!catalog_has_schema(c, name))
        vec_push(c->arena, &c->schemas, arena_str(c->arena, name));
}

void catalog_drop_schema(struct catalog *c, struct str name)
{
    for (size_t i = 0; i < c->schemas.count; i++) {
        if (!str_equal(c->schemas.at[i], name))
            continue;
        for (size_t j = i + 1; j < c->schemas.count; j++)
            c->schemas.at[j - 1] = c->schemas.at[j];
        c->schemas.count--;
        return;
    }
}

void catalog_rename_schema(struct catalog *c, struct str name, struct str new_name)
{
    struct str old = arena_str(c->arena, name); /* name may be an object's own */
    catalog_drop_schema(c, old);
    catalog_add_schema(c, new_name);
    for (size_t i = 0; i < c->relations.count; i++) {
        struct catalog_relation *r = c->relations.at[i];
        if (!r->is_dropped && str_equal(r->schema, old))
            catalog_rename_relation(c, r, new_name, r->name);
    }
    for (size_t i = 0; i < c->types.count; i++) {
        struct catalog_type *t = c->types.at[i];
        if (!t->is_dropped && str_equal(t->schema, old))
            catalog_rename_type(c, t, new_name, t->name);
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        struct catalog_function *f = c->functions.at[i];
        if (!f->is_dropped && str_equal(f->schema, old))
            catalog_rename_function(c, f, new_name, f->name);
    }
    for (size_t i = 0; i < c->statistics.count; i++) {
        if (str_equal(c->statistics.at[i]->schema, old))
            c->statistics.at[i]->schema = arena_str(c->arena, new_name);
    }
}

/* ---- settings ---- */

struct str catalog_setting(const struct catalog *c, const char *name)
{
    for (size_t i = c->settings.count; i > 0; i--) {
        if (str_equal(c->settings.at[i - 1].name, str_of(name)))
            return c->settings.at[i - 1].value;
    }
    return (struct str){0};
}

static struct catalog_setting *find_setting(struct catalog *c, struct str name, bool is_local)
{
    for (size_t i = 0; i < c->settings.count; i++) {
        struct catalog_setting *s = &c->settings.at[i];
        if (s->is_local == is_local && str_equal(s->name, name))
            return s;
    }
    return NULL;
}

/* A SET takes the place of an earlier one, so that a script of many does not grow. A SET LOCAL lies above
   it until its transaction ends; a SET behind it wins over both. */
void catalog_set(struct catalog *c, struct str name, struct str value, bool is_local)
{
    char *lower = arena_cstr(c->arena, name);
    for (char *at = lower; *at; at++)
        *at = char_lower(*at);
    struct catalog_setting setting = {.name = str_of(lower), .is_local = is_local};
    if (value.at)
        setting.value = value.len ? arena_str(c->arena, value) : STR("");
    struct catalog_setting *local = find_setting(c, setting.name, true);
    struct catalog_setting *old = is_local ? local : find_setting(c, setting.name, false);
    if (!is_local && local)
        local->value = setting.value;
    if (old)
        old->value = setting.value;
    else if (is_local || !local)
        vec_push(c->arena, &c->settings, setting);
    else { /* below the local one */
        struct catalog_setting above = *local;
        *local = setting;
        vec_push(c->arena, &c->settings, above);
    }
}

void catalog_end_transaction(struct catalog *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->settings.count; i++) {
        if (!c->settings.at[i].is_local)
            c->settings.at[kept++] = c->settings.at[i];
    }
    c->settings.count = kept;
}
