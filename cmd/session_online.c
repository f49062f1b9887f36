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
    /* An earlier run of a repeatable, or of what was taken back. */
    if (str_equal(e->kind, STR(EVENT_APPLIED)) || str_equal(e->kind, STR(EVENT_CONTRACTED)) ||
        str_equal(e->kind, STR(EVENT_ROLLED_BACK))) {
        *begun->forms = (struct online_forms){0};
        return true;
    }
    if (!str_equal(e->kind, STR(EVENT_PLANNED)))
        return true;
    SCOPED(json) struct json *detail = json_parse(e->detail, STR("event"), f);
    return detail && online_forms_read(begun->arena, json_get(detail, "online"), begun->forms, f);
}

static bool read_forms(struct session *s, const struct history_row *row, struct online_forms *out,
                       struct fail *f)
{
    struct begun begun = {s->arena, out};
    return s->driver->read_events(s->connection, 1, history_row_label(row), take_planned, &begun,
                                  f);
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
        one->units_done = row->units_done;
        one->is_expanded = str_equal(row->state, STR(HISTORY_EXPANDED)) ||
                           str_equal(row->state, STR(HISTORY_SWITCHED)) ||
                           str_equal(row->state, STR(HISTORY_ROLLING_BACK));
        if (!read_forms(s, row, &one->forms, f))
            return false;
        (*out)[i] = one;
    }
    return true;
}

bool session_read_open(struct session *s, struct online_open **out, size_t *out_count,
                       struct fail *f)
{
    *out = NULL;
    *out_count = 0;
    for (size_t i = 0; s->connection && i < s->history.count; i++) {
        const struct history_row *row = &s->history.at[i];
        if (!str_equal(row->state, STR(HISTORY_EXPANDED)) &&
            !str_equal(row->state, STR(HISTORY_SWITCHED)))
            continue;
        if (!*out)
            *out = arena_array(s->arena, struct online_open, s->history.count);
        struct online_forms *forms = arena_new(s->arena, struct online_forms);
        if (!read_forms(s, row, forms, f))
            return false;
        (*out)[(*out_count)++] = (struct online_open){history_row_label(row), forms};
    }
    return true;
}
