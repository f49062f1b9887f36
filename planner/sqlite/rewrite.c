/* The recipes, and the pieces that they are written with. */
#include "planner/sqlite/rewrite.h"

#include "core/base/buf.h"

#include <stdarg.h>

#define RECIPE_HAZARDS_MAX 8

struct recipe_row {
    const char *id; /* permanent: it stands in histories */
    const char *kind;
    const char *hazards[RECIPE_HAZARDS_MAX + 1]; /* that it settles; up to NULL */
    enum directive_kind asked_by;                /* a directive that asks for it by itself */
    const char *why;
    sqlite_recipe *write;
};

static const struct recipe_row recipes[] = {
    {
        .id = "update-batches",
        .kind = "UPDATE",
        .hazards = {"sqlite-long-write-lock"},
        .asked_by = DIRECTIVE_BATCH,
        .why = "As written it would change all rows in one transaction: nobody else could write "
               "until it commits.",
        .write = sqlite_rewrite_update,
    },
    {
        .id = "delete-batches",
        .kind = "DELETE",
        .hazards = {"sqlite-long-write-lock"},
        .asked_by = DIRECTIVE_BATCH,
        .why = "As written it would delete all rows in one transaction: nobody else could write "
               "until it commits.",
        .write = sqlite_rewrite_delete,
    },
    {
        .id = "rebuild-table",
        .kind = "ALTER TABLE",
        .hazards = {"sqlite-add-not-null-no-default", "sqlite-add-non-constant-default",
                    "sqlite-add-unique-column", "sqlite-add-stored-generated",
                    "sqlite-add-check-violated"},
        .why = "As written SQLite would refuse it.",
        .write = sqlite_rewrite_rebuild,
    },
};

/* ---- choosing ---- */

static bool asks_for_batches(const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_BATCH && s->directives.at[i].key.len)
            return true;
    }
    return false;
}

bool sqlite_may_have_form(const struct statement *s)
{
    for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
        if (state_is_kind(s, recipes[i].kind))
            return true;
    }
    return asks_for_batches(s); /* so that it is told where they cannot be had */
}

static bool is_asked_for(const struct recipe_row *row, const struct statement *s)
{
    for (size_t i = 0; i < s->directives.count && row->asked_by; i++) {
        if (s->directives.at[i].kind == row->asked_by)
            return true;
    }
    return false;
}

static bool settles(const struct recipe_row *row, const struct hazards *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct hazard *h = &found->at[i];
        for (size_t k = 0; row->hazards[k]; k++) {
            if (h->level >= HAZARD_WARN && strcmp(h->rule->id, row->hazards[k]) == 0)
                return true;
        }
    }
    return false;
}

static void read_tokens(struct sqlite_rewrite *r)
{
    unsigned depth = 0;
    for (struct str rest = r->statement->text; rest.len;) {
        struct sqlite_piece one;
        size_t len = sqlite_token(rest, &one.kind);
        one.text = (struct str){rest.at, len};
        rest = str_skip(rest, len);
        if (one.kind == SQLITE_TOKEN_BLANK)
            continue;
        depth -= str_equal(one.text, STR(")")) && depth;
        one.depth = depth;
        depth += str_equal(one.text, STR("("));
        vec_push(r->a, &r->tokens, one);
    }
}

/* What goes with the connection would be missing when a run that was cut off goes on. */
static bool has_temporary(const struct sqlite_analysis *p)
{
    for (size_t i = 0; i < p->now.count; i++) {
        if (p->now.at[i]->is_temporary)
            return true;
    }
    return false;
}

static bool is_plain_table(const struct sqlite_object *o)
{
    return o && o->kind == OBJECT_TABLE && !o->is_module && !o->is_part_of_module &&
           !o->is_temporary;
}

const struct online_form *sqlite_rewrite_statement(struct arena *a, struct sqlite_analysis *p,
                                                   const struct statement *s,
                                                   const struct analysis *found)
{
    /* Foreign keys that are first looked at by COMMIT need the one transaction that the file makes. */
    bool is_bound = p->so_far.is_own_transaction || p->file.has_savepoint || p->file.defers_keys ||
                    has_temporary(p);
    if (is_bound || !is_plain_table(p->facts.table) || state_is_new(p, p->facts.table->relation))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(recipes); i++) {
        const struct recipe_row *row = &recipes[i];
        if (!state_is_kind(s, row->kind) ||
            (!settles(row, &found->hazards) && !is_asked_for(row, s)))
            continue;
        struct online_form *form = arena_new(a, struct online_form);
        *form = (struct online_form){.recipe = row->id, .why = row->why, .settles = row->hazards};
        struct sqlite_rewrite r = {
            .a = a, .p = p, .statement = s, .table = p->facts.table, .form = form};
        read_tokens(&r);
        if (row->write(&r) && form->steps.count)
            return form;
    }
    return NULL;
}

const char *sqlite_rewrite_batch_refusal(struct arena *a, struct sqlite_analysis *p,
                                         const struct statement *s)
{
    const struct sqlite_object *table = p->facts.table;
    if (!asks_for_batches(s))
        return NULL;
    if (!state_is_kind(s, "UPDATE") && !state_is_kind(s, "DELETE"))
        return "batches are for UPDATE and DELETE";
    if (p->facts.error || !is_plain_table(table) || table->is_made_up ||
        state_is_new(p, table->relation))
        return NULL; /* not known, or not there yet: what will be is not known either */
    struct sqlite_rewrite r = {.a = a, .p = p, .statement = s, .table = table};
    read_tokens(&r);
    return sqlite_rewrite_dml_refusal(&r);
}

/* ---- writing steps ---- */

struct online_step *sqlite_rewrite_step(struct sqlite_rewrite *r, enum phase phase,
                                        const char *does, const char *format, ...)
{
    SCOPED(buf) struct buf text = {0};
    va_list values;
    va_start(values, format);
    buf_vprintf(&text, format, values);
    va_end(values);
    struct online_step step = {.phase = phase, .does = does, .sql = buf_done(r->a, &text)};
    vec_push(r->a, &r->form->steps, step);
    return &r->form->steps.at[r->form->steps.count - 1];
}

/* ---- pieces ---- */

/* TRUE and FALSE are no keywords, but are not always taken for names either. */
static bool is_plain_word(struct str name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    if (!name.len || char_is_digit(name.at[0]) || str_equal(name, STR("true")) ||
        str_equal(name, STR("false")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(plain, name.at[i], sizeof(plain) - 1))
            return false;
    }
    return !sqlite3_keyword_check(name.at, (int)name.len);
}

struct str sqlite_identifier(struct arena *a, struct str name)
{
    if (is_plain_word(name))
        return name;
    SCOPED(buf) struct buf out = {0};
    buf_add_char(&out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(&out, '"');
        buf_add_char(&out, name.at[i]);
    }
    buf_add_char(&out, '"');
    return buf_done(a, &out);
}

bool sqlite_rewrite_is(const struct sqlite_rewrite *r, size_t token, const char *word)
{
    return token < r->tokens.count && r->tokens.at[token].kind != SQLITE_TOKEN_QUOTED &&
           str_equal_nocase(r->tokens.at[token].text, str_of(word));
}

size_t sqlite_rewrite_find(const struct sqlite_rewrite *r, size_t from, const char *word)
{
    size_t i = from;
    while (i < r->tokens.count && (r->tokens.at[i].depth || !sqlite_rewrite_is(r, i, word)))
        i++;
    return i;
}

struct str sqlite_rewrite_piece(const struct sqlite_rewrite *r, size_t from, size_t to)
{
    if (from >= to || to > r->tokens.count)
        return STR("");
    struct str last = r->tokens.at[to - 1].text;
    return str_range(r->tokens.at[from].text.at, last.at + last.len);
}
