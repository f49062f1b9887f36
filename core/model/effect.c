/* Each relation is once in each list; for locks the strongest mode stays. */
#include "core/model/effect.h"

#include "core/base/json.h"

#include <string.h>

static bool is_same(const struct catalog_relation *object, struct str name,
                    const struct catalog_relation *other, struct str other_name)
{
    if (object && other)
        return object == other;
    return str_equal(name, other_name);
}

void effects_add_lock(struct arena *a, struct effects *e, const struct effect_lock *lock)
{
    for (size_t i = 0; i < e->locks.count; i++) {
        struct effect_lock *old = &e->locks.at[i];
        if (!is_same(old->object, old->relation, lock->object, lock->relation))
            continue;
        if (lock->mode > old->mode)
            old->mode = lock->mode;
        old->is_named |= lock->is_named;
        return;
    }
    struct effect_lock kept = *lock;
    kept.relation = arena_str(a, lock->relation);
    vec_push(a, &e->locks, kept);
}

static bool has_object(const struct effect_object *at, size_t count,
                       const struct effect_object *one)
{
    for (size_t i = 0; i < count; i++) {
        if (is_same(at[i].object, at[i].relation, one->object, one->relation))
            return true;
    }
    return false;
}

static struct effect_object object_of(struct arena *a, const struct catalog_relation *r,
                                      const char *why)
{
    return (struct effect_object){catalog_relation_text(a, r), r, why};
}

#define add_object(a, list, one)                                                                   \
    do {                                                                                           \
        if (!has_object((list)->at, (list)->count, &(one)))                                        \
            vec_push((a), (list), (one));                                                          \
    } while (0)

void effects_add_rewrite(struct arena *a, struct effects *e, const struct catalog_relation *r,
                         const char *why)
{
    struct effect_object one = object_of(a, r, why);
    add_object(a, &e->rewrites, one);
}

void effects_add_scan(struct arena *a, struct effects *e, const struct catalog_relation *r,
                      const char *why)
{
    struct effect_object one = object_of(a, r, why);
    add_object(a, &e->scans, one);
}

void effects_add_build(struct arena *a, struct effects *e, const struct catalog_relation *index,
                       const char *why)
{
    struct effect_object one = object_of(a, index, why);
    add_object(a, &e->builds, one);
}

void effects_add_write(struct arena *a, struct effects *e, const struct catalog_relation *r,
                       const char *why)
{
    struct effect_object one = object_of(a, r, why);
    add_object(a, &e->writes, one);
}

static void add_loss(struct arena *a, struct effects *e, const struct effect_loss *loss)
{
    for (size_t i = 0; i < e->losses.count; i++) {
        struct effect_loss *old = &e->losses.at[i];
        if (old->kind == loss->kind && strcmp(old->object_kind, loss->object_kind) == 0 &&
            str_equal(old->what, loss->what)) {
            old->is_named |= loss->is_named;
            return;
        }
    }
    vec_push(a, &e->losses, *loss);
    e->losses.at[e->losses.count - 1].what = arena_str(a, loss->what);
}

void effects_add_loss(struct arena *a, struct effects *e, enum loss_kind kind,
                      const char *object_kind, struct str what,
                      const struct catalog_relation *object, bool is_named)
{
    const struct effect_loss loss = {
        .kind = kind,
        .object_kind = object_kind,
        .what = what,
        .object = object,
        .is_named = is_named,
    };
    add_loss(a, e, &loss);
}

void effects_merge(struct arena *a, struct effects *e, const struct effects *from)
{
    for (size_t i = 0; i < from->locks.count; i++)
        effects_add_lock(a, e, &from->locks.at[i]);
    for (size_t i = 0; i < from->rewrites.count; i++)
        add_object(a, &e->rewrites, from->rewrites.at[i]);
    for (size_t i = 0; i < from->scans.count; i++)
        add_object(a, &e->scans, from->scans.at[i]);
    for (size_t i = 0; i < from->builds.count; i++)
        add_object(a, &e->builds, from->builds.at[i]);
    for (size_t i = 0; i < from->writes.count; i++)
        add_object(a, &e->writes, from->writes.at[i]);
    for (size_t i = 0; i < from->losses.count; i++)
        add_loss(a, e, &from->losses.at[i]);
    e->refuses_transaction |= from->refuses_transaction;
    if (!e->opaque)
        e->opaque = from->opaque;
    if (!e->missing)
        e->missing = from->missing;
    if (!e->failure)
        e->failure = from->failure;
}

/* ---- JSON ---- */

static struct json *objects_json(const struct effect_object *at, size_t count)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++)
        json_push_str(list, at[i].relation);
    return list;
}

static struct json *locks_json(const struct effects *e)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < e->locks.count; i++) {
        struct json *j = json_make_object();
        json_set_str(j, "relation", e->locks.at[i].relation);
        json_set_cstr(j, "kind", relation_kind_name(e->locks.at[i].kind));
        json_set_cstr(j, "mode", lock_mode_name(e->locks.at[i].mode));
        json_push(list, j);
    }
    return list;
}

static const char *loss_name(enum loss_kind kind)
{
    switch (kind) {
    case LOSS_UNKNOWN:
        break;
    case LOSS_DATA:
        return "data";
    case LOSS_GUARANTEE:
        return "guarantee";
    case LOSS_NAME:
        return "name";
    case LOSS_ACCESS:
        return "access";
    }
    return "unknown";
}

static struct json *losses_json(const struct effects *e)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < e->losses.count; i++) {
        struct json *j = json_make_object();
        json_set_cstr(j, "kind", loss_name(e->losses.at[i].kind));
        json_set_cstr(j, "object", e->losses.at[i].object_kind);
        json_set_str(j, "name", e->losses.at[i].what);
        json_set_bool(j, "named", e->losses.at[i].is_named);
        json_push(list, j);
    }
    return list;
}

struct json *effects_json(const struct effects *e)
{
    struct json *j = json_make_object();
    json_set(j, "locks", locks_json(e));
    json_set(j, "rewrites", objects_json(e->rewrites.at, e->rewrites.count));
    json_set(j, "scans", objects_json(e->scans.at, e->scans.count));
    json_set(j, "builds", objects_json(e->builds.at, e->builds.count));
    if (e->tells_writes)
        json_set(j, "writes", objects_json(e->writes.at, e->writes.count));
    else
        json_set_null(j, "writes");
    json_set(j, "losses", losses_json(e));
    json_set_cstr(j, "opaque", e->opaque);
    json_set_cstr(j, "missing", e->missing);
    json_set_cstr(j, "failure", e->failure);
    return j;
}
