/* Online forms as values, and as the JSON that the plan shows and the history keeps. */
#include "core/model/online.h"

#include "core/base/vec.h"

static const char *const phase_names[] = {
    [PHASE_EXPAND] = "expand",
    [PHASE_BACKFILL] = "backfill",
    [PHASE_SWITCH] = "switch",
    [PHASE_CONTRACT] = "contract",
};

static const char *const undo_cost_names[] = {
    [UNDO_IMPOSSIBLE] = "impossible",
    [UNDO_FREE] = "free",
    [UNDO_COSTLY] = "costly",
    [UNDO_LOSSY] = "lossy",
};

static const char *const step_kind_names[] = {
    [STEP_STATEMENT] = "statement",
    [STEP_BATCHES] = "batches",
    [STEP_VERIFICATION] = "verification",
};

const char *step_kind_name(enum step_kind k)
{
    return step_kind_names[k];
}

const char *phase_name(enum phase p)
{
    return phase_names[p];
}

const char *undo_cost_name(enum undo_cost c)
{
    return undo_cost_names[c];
}

bool rewrite_mode_of_name(struct str name, enum rewrite_mode *out)
{
    static const char *const names[] = {
        [REWRITE_OFF] = "off", [REWRITE_SUGGEST] = "suggest", [REWRITE_AUTO] = "auto"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_equal(name, str_of(names[i]))) {
            *out = (enum rewrite_mode)i;
            return true;
        }
    }
    return false;
}

const struct online_rewritten *online_find(const struct online_forms *forms, size_t statement)
{
    for (size_t i = 0; forms && i < forms->count; i++) {
        if (forms->at[i].statement == statement)
            return &forms->at[i];
    }
    return NULL;
}

bool online_is_left_alone(const struct online_form *form)
{
    size_t at_once = online_steps_at_once(form);
    return at_once < form->steps.count && form->steps.at[at_once].waits_again;
}

size_t online_steps_at_once(const struct online_form *form)
{
    size_t i = 0;
    while (i < form->steps.count && !form->steps.at[i].waits)
        i++;
    return i;
}

/* ---- to JSON ---- */

static struct json *range_json(const struct online_range *range)
{
    struct json *j = json_make_object();
    struct json *key = json_make_array();
    for (size_t i = 0; i < range->key.count; i++)
        json_push_str(key, range->key.at[i]);
    json_set_str(j, "table", range->table);
    json_set_str(j, "alias", range->alias);
    json_set(j, "key", key);
    if (range->skips_triggers)
        json_set_bool(j, "skips_triggers", true);
    return j;
}

static const char *steps_transaction(enum step_kind k)
{
    return k == STEP_STATEMENT ? "single" : "batches";
}

struct json *online_step_json(const struct online_step *s)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "phase", phase_name(s->phase));
    if (s->waits)
        json_set_bool(j, "waits", true);
    if (s->waits_again)
        json_set_bool(j, "waits_again", true);
    if (s->kind != STEP_STATEMENT) {
        json_set_cstr(j, "kind", step_kind_name(s->kind));
        json_set(j, "range", range_json(s->range));
    }
    json_set_cstr(j, "transaction", s->refuses_transaction ? "none" : steps_transaction(s->kind));
    json_set_str(j, "sql", s->sql);
    json_set_cstr(j, "does", s->does);
    if (s->undo.len)
        json_set_str(j, "undo", s->undo);
    else
        json_set_null(j, "undo");
    json_set_cstr(j, "undo_cost", undo_cost_name(s->undo_cost));
    if (s->undo_steps.count) {
        struct json *steps = json_make_array();
        for (size_t i = 0; i < s->undo_steps.count; i++)
            json_push(steps, online_step_json(&s->undo_steps.at[i]));
        json_set(j, "undo_steps", steps);
    }
    if (s->locks)
        json_set(j, "locks", table_locks_json(s->locks));
    return j;
}

static struct json *retired_json(const struct retired_name *n)
{
    struct json *j = json_make_object();
    json_set_str(j, "schema", n->schema);
    json_set_str(j, "table", n->table);
    if (n->column.len)
        json_set_str(j, "column", n->column);
    if (n->is_required)
        json_set_bool(j, "is_required", true);
    if (n->is_taken_along)
        json_set_bool(j, "is_taken_along", true);
    return j;
}

struct json *online_form_json(const struct online_form *form)
{
    struct json *j = json_make_object();
    struct json *steps = json_make_array();
    json_set_cstr(j, "recipe", form->recipe);
    json_set_cstr(j, "why", form->why);
    for (size_t i = 0; i < form->steps.count; i++)
        json_push(steps, online_step_json(&form->steps.at[i]));
    json_set(j, "steps", steps);
    if (form->relations.count) {
        struct json *relations = json_make_array();
        for (size_t i = 0; i < form->relations.count; i++)
            json_push_str(relations, form->relations.at[i]);
        json_set(j, "relations", relations);
    }
    if (form->retires.count) {
        struct json *names = json_make_array();
        for (size_t i = 0; i < form->retires.count; i++)
            json_push(names, retired_json(&form->retires.at[i]));
        json_set(j, "retires", names);
    }
    if (form->last_write.len)
        json_set_str(j, "last_write", form->last_write);
    return j;
}

struct json *online_forms_json(const struct online_forms *forms)
{
    struct json *list = json_make_array();
    for (size_t i = 0; i < forms->count; i++) {
        struct json *one = online_form_json(forms->at[i].form);
        json_set_i64(one, "statement", (int64_t)forms->at[i].statement + 1);
        json_set_str(one, "digest", digest_str(&forms->at[i].digest));
        json_push(list, one);
    }
    return list;
}

/* ---- from JSON ---- */

static bool index_of(const char *const *names, size_t count, struct str name, unsigned *out)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(name, str_of(names[i]))) {
            *out = (unsigned)i;
            return true;
        }
    }
    return false;
}

static const struct online_range *read_range(struct arena *a, const struct json *j)
{
    struct online_range *range = arena_new(a, struct online_range);
    const struct json *key = json_get(j, "key");
    range->table = arena_str(a, json_str_of(json_get(j, "table")));
    range->alias = arena_str(a, json_str_of(json_get(j, "alias")));
    for (size_t i = 0; i < json_count(key); i++)
        vec_push(a, &range->key, arena_str(a, json_str_of(json_at(key, i))));
    const struct json *skips = json_get(j, "skips_triggers");
    bool is_good = !skips || json_bool_of(skips, &range->skips_triggers);
    return is_good && range->table.len && range->alias.len && json_is_array(key) ? range : NULL;
}

static bool read_flag(const struct json *j, bool *out)
{
    return !j || json_bool_of(j, out);
}

/* What is not said of a step: it is a plain statement, and does not wait. Forms of earlier versions say
   neither. */
static bool read_how(struct arena *a, const struct json *j, struct online_step *step)
{
    unsigned kind = STEP_STATEMENT;
    struct str name = json_str_of(json_get(j, "kind"));
    if (name.len && !index_of(step_kind_names, ARRAY_LEN(step_kind_names), name, &kind))
        return false;
    step->kind = (enum step_kind)kind;
    if (!read_flag(json_get(j, "waits"), &step->waits) ||
        !read_flag(json_get(j, "waits_again"), &step->waits_again))
        return false;
    if (step->kind != STEP_STATEMENT)
        step->range = read_range(a, json_get(j, "range"));
    return step->kind == STEP_STATEMENT || step->range;
}

/* Forms of earlier versions do not say it. */
static bool read_locks(struct arena *a, const struct json *j, struct online_step *step)
{
    if (!j)
        return true;
    struct table_locks *locks = arena_new(a, struct table_locks);
    step->locks = locks;
    return table_locks_read(a, j, locks);
}

static bool read_step(struct arena *a, const struct json *j, struct online_step *out);

static bool read_undo_steps(struct arena *a, const struct json *j, struct online_step *step)
{
    for (size_t i = 0; i < json_count(j); i++) {
        struct online_step one;
        if (!read_step(a, json_at(j, i), &one))
            return false;
        vec_push(a, &step->undo_steps, one);
    }
    return true;
}

static bool read_step(struct arena *a, const struct json *j, struct online_step *out)
{
    unsigned phase;
    unsigned cost;
    struct str transaction = json_str_of(json_get(j, "transaction"));
    bool is_alone = str_equal(transaction, STR("none"));
    *out = (struct online_step){
        .refuses_transaction = is_alone,
        .sql = arena_str(a, json_str_of(json_get(j, "sql"))),
        .does = arena_cstr(a, json_str_of(json_get(j, "does"))),
        .undo = arena_str(a, json_str_of(json_get(j, "undo"))),
    };
    if (!index_of(phase_names, ARRAY_LEN(phase_names), json_str_of(json_get(j, "phase")), &phase) ||
        !index_of(undo_cost_names, ARRAY_LEN(undo_cost_names),
                  json_str_of(json_get(j, "undo_cost")), &cost) ||
        !out->sql.len || !read_how(a, j, out) || !read_locks(a, json_get(j, "locks"), out) ||
        !read_undo_steps(a, json_get(j, "undo_steps"), out) ||
        (!is_alone && !str_equal(transaction, str_of(steps_transaction(out->kind)))))
        return false;
    out->phase = (enum phase)phase;
    out->undo_cost = (enum undo_cost)cost;
    return true;
}

static bool read_retired(struct arena *a, const struct json *j, struct retired_name *out)
{
    const struct json *required = json_get(j, "is_required");
    const struct json *taken = json_get(j, "is_taken_along");
    *out = (struct retired_name){
        .schema = arena_str(a, json_str_of(json_get(j, "schema"))),
        .table = arena_str(a, json_str_of(json_get(j, "table"))),
        .column = arena_str(a, json_str_of(json_get(j, "column"))),
    };
    return out->table.len && (!required || json_bool_of(required, &out->is_required)) &&
           (!taken || json_bool_of(taken, &out->is_taken_along));
}

static bool read_form(struct arena *a, const struct json *j, struct online_form *out)
{
    const struct json *steps = json_get(j, "steps");
    *out = (struct online_form){
        .recipe = arena_cstr(a, json_str_of(json_get(j, "recipe"))),
        .why = arena_cstr(a, json_str_of(json_get(j, "why"))),
    };
    for (size_t i = 0; i < json_count(steps); i++) {
        struct online_step step;
        if (!read_step(a, json_at(steps, i), &step))
            return false;
        vec_push(a, &out->steps, step);
    }
    const struct json *relations = json_get(j, "relations");
    for (size_t i = 0; i < json_count(relations); i++)
        vec_push(a, &out->relations, arena_str(a, json_str_of(json_at(relations, i))));
    const struct json *names = json_get(j, "retires");
    for (size_t i = 0; i < json_count(names); i++) {
        struct retired_name name;
        if (!read_retired(a, json_at(names, i), &name))
            return false;
        vec_push(a, &out->retires, name);
    }
    out->last_write = arena_str(a, json_str_of(json_get(j, "last_write")));
    return out->recipe[0] && out->steps.count;
}

bool online_forms_read(struct arena *a, const struct json *j, struct online_forms *out,
                       struct fail *f)
{
    *out = (struct online_forms){0};
    bool is_good = json_is_array(j);
    for (size_t i = 0; is_good && i < json_count(j); i++) {
        int64_t statement;
        struct online_form *form = arena_new(a, struct online_form);
        is_good = json_i64_of(json_get(json_at(j, i), "statement"), &statement) && statement > 0 &&
                  read_form(a, json_at(j, i), form);
        struct online_rewritten one = {.form = form};
        is_good =
            is_good && digest_parse(json_str_of(json_get(json_at(j, i), "digest")), &one.digest);
        if (is_good) {
            one.statement = (size_t)statement - 1;
            vec_push(a, out, one);
        }
    }
    if (is_good)
        return true;
    fail_set(f, EXIT_INTEGRITY, "the online form that the history keeps cannot be read");
    return fail_hint(f, "Look at `migrate history --verify`.");
}
