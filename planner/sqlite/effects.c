/*
 * EXPLAIN lists the program: https://www.sqlite.org/opcode.html. A cursor is opened on the first page of a
 * table or an index, which the schema table names; Rewind or Last with Next or Prev on it is a loop
 * over all of it. Programs of triggers and of foreign keys follow behind the statement's own, with
 * cursors of their own.
 */
#include "planner/sqlite/effects.h"

#include "core/base/vec.h"

struct cursor {
    int number;
    struct sqlite_object *object; /* NULL: none of the schema's */
    bool is_rewound, is_looped, is_written;
};

struct program {
    struct arena *a;
    const struct sqlite_objects *now;
    VEC_OF(struct cursor) cursors; /* of all programs, one behind the other */
    size_t first;                  /* of the program that is read */
    size_t casts;
    bool asks_module; /* a virtual table, or a pragma as a function */
    int rare_until;   /* steps before this one are for foreign keys that were already broken */
};

static struct cursor *find_cursor(struct program *p, int number)
{
    for (size_t i = p->cursors.count; i > p->first; i--) {
        if (p->cursors.at[i - 1].number == number)
            return &p->cursors.at[i - 1];
    }
    return NULL;
}

static void open_cursor(struct program *p, sqlite3_stmt *row)
{
    enum { ROOT_IS_IN_REGISTER = 0x10, TEMPORARY = 1 };
    bool is_known = (sqlite3_column_int(row, 6) & ROOT_IS_IN_REGISTER) == 0;
    struct cursor c = {.number = sqlite3_column_int(row, 2)};
    if (is_known && sqlite3_column_int(row, 0) >= p->rare_until)
        c.object = objects_find_root(p->now, sqlite3_column_int64(row, 3),
                                     sqlite3_column_int(row, 4) == TEMPORARY);
    vec_push(p->a, &p->cursors, c);
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}
#define IS_ONE_OF(word, list) is_one_of((word), (list), ARRAY_LEN(list))

/* Columns of EXPLAIN: addr, opcode, p1, p2, p3, p4, p5, comment. */
static void take_step(struct program *p, sqlite3_stmt *row)
{
    static const char *const opens[] = {"OpenRead", "OpenWrite", "ReopenIdx"};
    static const char *const hides[] = {"OpenEphemeral", "OpenAutoindex", "OpenPseudo",
                                        "SorterOpen",    "VOpen",         "OpenDup"};
    static const char *const rewinds[] = {"Rewind", "Last"};
    static const char *const loops[] = {"Next", "Prev"};
    static const char *const writes[] = {"Insert", "Delete", "IdxInsert", "IdxDelete"};
    const char *word = (const char *)sqlite3_column_text(row, 1);
    if (sqlite3_column_int(row, 0) == 0) {
        p->first = p->cursors.count;
        p->rare_until = 0;
    }
    if (!word)
        return;
    if (strcmp(word, "FkIfZero") == 0)
        p->rare_until = sqlite3_column_int(row, 3);
    p->casts += strcmp(word, "Cast") == 0;
    p->asks_module |= strcmp(word, "VOpen") == 0;
    if (IS_ONE_OF(word, opens))
        open_cursor(p, row);
    else if (IS_ONE_OF(word, hides))
        vec_push(p->a, &p->cursors, (struct cursor){.number = sqlite3_column_int(row, 2)});
    struct cursor *c = find_cursor(p, sqlite3_column_int(row, 2));
    if (strcmp(word, "Clear") == 0) {
        struct cursor all = {
            .number = -1, .is_rewound = true, .is_looped = true, .is_written = true};
        all.object = objects_find_root(p->now, sqlite3_column_int64(row, 2),
                                       sqlite3_column_int(row, 3) == 1);
        vec_push(p->a, &p->cursors, all);
    } else if (c) {
        c->is_rewound |= IS_ONE_OF(word, rewinds);
        c->is_looped |= IS_ONE_OF(word, loops);
        c->is_written |= IS_ONE_OF(word, writes);
    }
}

static void read_program(struct program *p, struct sqlite_scratch *s, struct str sql)
{
    sqlite3_stmt *q = scratch_ask(s, "EXPLAIN %.*s", (int)sql.len, sql.at);
    while (q && sqlite3_step(q) == SQLITE_ROW)
        take_step(p, q);
    scratch_end(s, q);
}

size_t sqlite_effects_casts(struct sqlite_scratch *s, struct arena *a, struct str sql)
{
    const struct sqlite_objects none = {0};
    struct program p = {.a = a, .now = &none};
    read_program(&p, s, sql);
    return p.casts;
}

/* ---- rows ---- */

static const struct catalog_relation *table_of(const struct sqlite_object *o)
{
    if (o->kind == OBJECT_INDEX)
        o = o->owner;
    return o ? o->relation : NULL;
}

static bool is_statement(const struct statement *s, const char *kind)
{
    return strcmp(s->kind, kind) == 0;
}

static void take_loops(struct program *p, const struct statement *statement, struct effects *e)
{
    bool is_alter = is_statement(statement, "ALTER TABLE");
    for (size_t i = 0; i < p->cursors.count; i++) {
        const struct cursor *c = &p->cursors.at[i];
        const struct catalog_relation *r = c->object ? table_of(c->object) : NULL;
        if (!r)
            continue;
        if (c->is_written && !is_statement(statement, "DROP TABLE") && !is_alter)
            effects_add_write(p->a, e, r, "its rows are written");
        if (!c->is_rewound || !c->is_looped || !catalog_may_have_rows(r))
            continue;
        effects_add_scan(p->a, e, r,
                         c->object->kind == OBJECT_INDEX ? "an index of it is read in full"
                                                         : "all its rows are read");
        if (is_alter && c->is_written) {
            effects_add_rewrite(p->a, e, r, "every row is written anew without the column");
            effects_add_write(p->a, e, r, "every row is written anew");
        }
    }
}

static void take_vacuum(struct arena *a, const struct sqlite_objects *now, struct effects *e)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct sqlite_object *o = now->at[i];
        if (o->kind != OBJECT_TABLE || o->is_temporary || !catalog_may_have_rows(o->relation))
            continue;
        effects_add_rewrite(a, e, o->relation, "VACUUM copies the whole database");
        effects_add_scan(a, e, o->relation, "VACUUM copies the whole database");
    }
}

/* REINDEX [table | index | collation]: which, the program tells. */
static void take_reindex(struct program *p, struct effects *e)
{
    for (size_t i = 0; i < p->cursors.count; i++) {
        const struct sqlite_object *o = p->cursors.at[i].object;
        const struct catalog_relation *table = o ? table_of(o) : NULL;
        if (o && o->kind == OBJECT_INDEX && table && catalog_may_have_rows(table))
            effects_add_build(p->a, e, o->relation, "REINDEX builds it anew");
    }
}

void sqlite_effects_of_rows(struct arena *a, struct sqlite_scratch *s,
                            const struct sqlite_objects *now, const struct statement *statement,
                            bool enforces, struct effects *e)
{
    struct program p = {.a = a, .now = now};
    e->tells_writes = true;
    if (is_statement(statement, "VACUUM")) {
        take_vacuum(a, now, e);
        return;
    }
    scratch_enforce(s, enforces);
    read_program(&p, s, statement->text);
    scratch_enforce(s, false);
    take_loops(&p, statement, e);
    if (is_statement(statement, "REINDEX"))
        take_reindex(&p, e);
    struct sqlite_object *altered = objects_find(now, OBJECT_TABLE, str_of(s->heard.altered));
    bool checks_rows = p.asks_module && is_statement(statement, "ALTER TABLE"); /* quick_check */
    if (checks_rows && altered && catalog_may_have_rows(altered->relation))
        effects_add_scan(a, e, altered->relation, "its rows are checked");
}

/* ---- the schema ---- */

static struct str part(struct arena *a, const struct sqlite_object *table, struct str name)
{
    return str_of(arena_printf(a, "%.*s.%.*s", STR_ARG(catalog_identifier(a, table->name)),
                               STR_ARG(catalog_identifier(a, name))));
}

static void take_gone(struct arena *a, const struct sqlite_object *o, bool is_named,
                      struct effects *e)
{
    const struct catalog_relation *r = o->relation;
    struct str name = catalog_identifier(a, o->name);
    switch (o->kind) {
    case OBJECT_TABLE:
        if (!o->is_part_of_module)
            effects_add_loss(a, e, LOSS_DATA, "TABLE", name, r, is_named);
        break;
    case OBJECT_INDEX:
        if (o->sql.len)
            effects_add_loss(a, e, o->is_unique ? LOSS_GUARANTEE : LOSS_NAME, "INDEX", name,
                             o->owner ? o->owner->relation : r, is_named);
        break;
    case OBJECT_VIEW:
        effects_add_loss(a, e, LOSS_NAME, "VIEW", name, r, is_named);
        break;
    case OBJECT_TRIGGER:
        effects_add_loss(a, e, LOSS_GUARANTEE, "TRIGGER", name,
                         o->owner ? o->owner->relation : NULL, is_named);
        break;
    }
}

/* Columns of a table that is still there. */
static void take_columns(struct arena *a, const struct sqlite_object *old,
                         const struct sqlite_object *o, struct effects *e)
{
    bool is_rename = old->columns.count == o->columns.count;
    for (size_t i = 0; i < old->columns.count; i++) {
        const struct sqlite_column *column = &old->columns.at[i];
        if (object_column(o, column->name))
            continue;
        bool has_data = !is_rename && !column->is_virtual;
        effects_add_loss(a, e, has_data ? LOSS_DATA : LOSS_NAME, "COLUMN",
                         part(a, old, column->name), old->relation, true);
    }
}

void sqlite_effects_of_schema(struct arena *a, const struct sqlite_objects *before,
                              const struct sqlite_objects *after, struct str dropped,
                              struct effects *e)
{
    for (size_t i = 0; i < before->count; i++) {
        const struct sqlite_object *old = before->at[i];
        const struct sqlite_object *o = objects_successor(after, old);
        if (!o) {
            take_gone(a, old, str_equal_nocase(old->name, dropped), e);
            continue;
        }
        if (o->kind != OBJECT_TABLE)
            continue;
        if (!str_equal(o->name, old->name))
            effects_add_loss(a, e, LOSS_NAME, "TABLE", catalog_identifier(a, old->name),
                             old->relation, true);
        take_columns(a, old, o, e);
    }
    for (size_t i = 0; i < after->count; i++) {
        const struct sqlite_object *o = after->at[i];
        bool is_build = o->kind == OBJECT_INDEX && o->sql.len && o->owner &&
                        !objects_successor(before, o) && catalog_may_have_rows(o->owner->relation);
        if (is_build)
            effects_add_build(a, e, o->relation, "its table may have rows");
    }
}
