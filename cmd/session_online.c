/* What a session knows of online forms: whether they are wanted, and which of them a migration was begun
   with. */
#include "cmd/session.h"

bool session_rewrite_mode(const struct session *s, enum rewrite_mode *out, struct fail *f)
{
    const char *given = s->options->rewrite;
    *out = s->config.rewrite;
    if (!given || rewrite_mode_of_name(str_of(given), out))
        return true;
    fail_set(f, EXIT_USAGE, "there is no rewrite mode \"%s\"", given);
    return fail_hint(f, "The modes are: auto, suggest, off.");
}

bool session_has_tables(const struct session *s, const struct catalog *catalog)
{
    struct str own = s->history_name.len ? s->history_name : STR("migrator");
    for (size_t i = 0; catalog && i < catalog->relations.count; i++) {
        const struct catalog_relation *r = catalog->relations.at[i];
        if (!str_equal(r->schema, own) && !r->extension.len)
            return true;
    }
    return !catalog;
}

struct begun {
    struct arena *arena;
    struct online_forms *forms;
};

static bool take_planned(void *context, const struct event *e, struct fail *f)
{
    struct begun *begun = context;
    if (str_equal(e->kind, STR(EVENT_APPLIED))) { /* an earlier run of a repeatable */
        *begun->forms = (struct online_forms){0};
        return true;
    }
    if (!str_equal(e->kind, STR(EVENT_PLANNED)))
        return true;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), f);
    return detail && online_forms_read(begun->arena, json_get(detail, "online"), begun->forms, f);
}

bool session_read_begun(struct session *s, const struct selection *selection,
                        const struct online_begun ***out, struct fail *f)
{
    *out = NULL;
    if (!selection->rows || !s->connection)
        return true;
    for (size_t i = 0; i < selection->count; i++) {
        const struct history_row *row = selection->rows[i];
        if (!row)
            continue;
        if (!*out)
            *out = arena_array(s->arena, const struct online_begun *, selection->count);
        struct online_begun *one = arena_new(s->arena, struct online_begun);
        struct begun begun = {s->arena, &one->forms};
        one->units_done = row->units_done;
        struct str label = row->version.len ? row->version : row->script;
        if (!s->driver->read_events(s->connection, 1, label, take_planned, &begun, f))
            return false;
        (*out)[i] = one;
    }
    return true;
}
