/* A catalog as JSON and back; files that are refused, and where. */
#include "core/base/json.h"
#include "core/model/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct type_ref builtin(const char *name, int32_t typmod)
{
    return (struct type_ref){.builtin = str_of(name), .typmod = typmod};
}

static struct catalog_column *column(struct catalog *c, struct catalog_relation *r,
                                     const char *name, const char *type)
{
    struct type_ref t = builtin(type, -1);
    return catalog_add_column(c, r, str_of(name), &t);
}

/* The parts of a table, with a value in every field that is not usual. */
static void fill_table(struct catalog *c, struct catalog_relation *r)
{
    struct arena *a = c->arena;
    struct catalog_column *id = column(c, r, "id", "int8");
    struct catalog_column *name = column(c, r, "Na\"me", "varchar");
    name->type.typmod = 24;
    name->collation = STR("C");
    name->is_not_null = true;
    name->default_value.text = STR("'x'::character varying");
    name->null_fraction = 0.1;
    name->distinct = -0.123456789012345678;
    id->identity = 'a';
    r->rows = ROWS_SOME;
    r->row_estimate = 1e7;
    r->size_bytes = (int64_t)1 << 40;
    r->replica_identity = 'f';
    r->is_populated = true;
    struct catalog_relation *index = catalog_add_index(c, r, STR("things_pkey"));
    struct index_key key = {.column = id, .is_descending = true};
    vec_push(a, &index->index->keys, key);
    key = (struct index_key){.expression.text = STR("lower(x)"), .opclass = STR("text_ops")};
    vec_push(a, &index->index->keys, key);
    index->index->is_unique = index->index->is_primary = true;
    struct catalog_constraint *k =
        catalog_add_constraint(c, r, CONSTRAINT_PRIMARY_KEY, STR("things_pkey"));
    k->index = index;
    index->index->constraint = k;
    vec_push(a, &k->columns, id);
    struct catalog_constraint *fk =
        catalog_add_constraint(c, r, CONSTRAINT_FOREIGN_KEY, STR("to itself"));
    fk->referenced = r;
    fk->is_valid = false;
    fk->on_delete = 'c';
    vec_push(a, &fk->columns, id);
    vec_push(a, &fk->referenced_columns, id);
    vec_push(a, &r->referencing, fk);
}

static struct catalog *make(struct arena *a)
{
    struct catalog *c = catalog_make(a);
    c->server_version = 150004;
    c->database = STR("sh\xC3\xB6p");
    c->is_complete = true;
    catalog_add_schema(c, STR("public"));
    catalog_add_schema(c, STR("Odd one"));
    catalog_set(c, STR("search_path"), STR(""), false);
    catalog_set(c, STR("timezone"), STR("UTC"), false);
    struct catalog_type *mood = catalog_add_type(c, TYPE_ENUM, STR("public"), STR("mood"));
    vec_push(a, &mood->labels, STR("sad"));
    struct catalog_type *word = catalog_add_type(c, TYPE_DOMAIN, STR("Odd one"), STR("word"));
    word->base = builtin("text", -1);
    struct domain_constraint dk = {.name = STR("k"), .check.text = STR("VALUE <> ''")};
    vec_push(a, &word->constraints, dk);
    struct catalog_relation *r =
        catalog_add_relation(c, RELATION_PARTITIONED_TABLE, STR("Odd one"), STR("things"));
    fill_table(c, r);
    struct catalog_relation *child =
        catalog_add_relation(c, RELATION_TABLE, STR("public"), STR("child"));
    catalog_add_child(c, r, child);
    child->is_partition = true;
    child->bound.text = STR("DEFAULT");
    child->bound.is_default = true;
    struct type_ref moods = {.user = mood, .is_array = true, .typmod = -1};
    catalog_add_column(c, child, STR("moods"), &moods);
    struct catalog_function *f = catalog_add_function(c, STR("public"), STR("f"));
    vec_push(a, &f->arguments, moods);
    vec_push(a, &f->argument_names, STR("m"));
    f->result = builtin("void", -1);
    f->body = STR("BEGIN\n\tNULL;\nEND");
    struct catalog_relation *view = catalog_add_relation(c, RELATION_VIEW, STR("public"), STR("v"));
    vec_push(a, &view->uses, (struct catalog_use){.relation = child});
    vec_push(a, &view->used_functions, f);
    vec_push(a, &view->used_types, mood);
    vec_push(a, &c->left_out, STR("sizes: permission denied"));
    return c;
}

static struct str text_of(struct arena *a, const struct catalog *c)
{
    SCOPED(json) struct json *j = catalog_json(c);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, j, true);
    return buf_done(a, &text);
}

static void what_is_written_is_read_back_exactly(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = text_of(a, make(a));
    struct catalog *c = catalog_read(a, text, STR("s.json"), &f);
    assert_string_equal(f.message ? f.message : "", "");
    assert_string_equal(text_of(a, c).at, text.at);
    assert_int_equal(c->source, CATALOG_SNAPSHOT);

    const struct catalog_relation *r = catalog_find_relation(c, STR("Odd one"), STR("things"));
    assert_int_equal(r->indexes.count, 1);
    assert_ptr_equal(r->indexes.at[0]->index->constraint, catalog_primary_key(r));
    assert_int_equal(r->referencing.count, 1);
    assert_ptr_equal(catalog_default_partition(r),
                     catalog_find_relation(c, STR("public"), STR("child")));
    assert_true(catalog_find_column(r, STR("Na\"me"))->distinct == -0.123456789012345678);
    const struct catalog_type *mood = catalog_find_type(c, STR("public"), STR("mood"));
    assert_ptr_equal(catalog_find_function(c, STR("public"), STR("f"), NULL)->arguments.at[0].user,
                     mood);
    /* Set to nothing is not the same as not set. */
    assert_non_null(catalog_setting(c, "search_path").at);
}

static void what_was_dropped_is_not_written(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct catalog *c = make(a);
    catalog_drop_relation(c, catalog_find_relation(c, STR("public"), STR("v")));
    catalog_find_column(catalog_find_relation(c, STR("Odd one"), STR("things")), STR("Na\"me"))
        ->is_dropped = true;
    struct catalog *again = catalog_read(a, text_of(a, c), STR("s.json"), &f);
    assert_non_null(again);
    assert_null(catalog_find_relation(again, STR("public"), STR("v")));
    assert_int_equal(catalog_find_relation(again, STR("Odd one"), STR("things"))->columns.count, 1);
}

#define TABLE_T "\"relations\": [\n{\"schema\": \"public\", \"name\": \"t\", \"kind\": \"r\""

static void a_broken_file_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        const char *message; /* part of it */
    } rows[] = {
        {"", 1, "invalid JSON"},
        {"{\n\"format\": 1,\n", 3, "invalid JSON"},
        {"[]", 1, "no snapshot"},
        {"{\"plan\": 1}", 1, "no snapshot"},
        {"{\n\"format\": 2}", 2, "format 2"},
        {"{\"format\": 1,\n\"schemas\": 3}", 2, "not a list"},
        {"{\"format\": 1,\n\"schemas\": [\"a\",\n3]}", 3, "no name of a schema"},
        {"{\"format\": 1,\n\"relations\": [\n3]}", 3, "no object"},
        {"{\"format\": 1,\n\"relations\": [\n{\"schema\": \"a\"}]}", 3, "has no name"},
        {"{\"format\": 1,\n\"relations\": [{\"schema\": \"a\", \"name\": \"b\",\n\"kind\": "
         "\"x\"}]}",
         3, "no such kind"},
        {"{\"format\": 1,\n" TABLE_T
         "},\n{\"schema\": \"public\",\n\"name\": \"t\", \"kind\": \"v\"}]}",
         5, "two relations public.t"},
        {"{\"format\": 1,\n" TABLE_T ",\n\"columns\": [{\"name\": \"c\",\n\"type\": {\"user\":\n"
         "\"public.m\"}}]}]}",
         6, "no type \"public.m\""},
        {"{\"format\": 1,\n" TABLE_T ",\n\"columns\": [{\"name\": \"c\"},\n{\"name\": \"c\"}]}]}",
         5, "two columns"},
        {"{\"format\": 1,\n" TABLE_T ",\n\"size_bytes\": \"7\"}]}", 4, "no number"},
        {"{\"format\": 1,\n" TABLE_T ",\n\"is_partition\": 1}]}", 4, "neither true nor false"},
        {"{\"format\": 1,\n" TABLE_T ",\n\"rows\": \"many\"}]}", 4, "no text that it can be"},
        {"{\"format\": 1,\n" TABLE_T ",\n\"constraints\": [{\"name\": \"k\", \"kind\": \"u\",\n"
         "\"columns\": [\n\"x\"]}]}]}",
         6, "no column \"x\""},
        {"{\"format\": 1,\n" TABLE_T ",\n\"parents\": [\n\"public.t\"]}]}", 2, "circle"},
        {"{\"format\": 1,\n\"relations\": [\n{\"schema\": \"a\", \"name\": \"i\", \"kind\": "
         "\"i\"}]}",
         3, "has no \"index\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        if (catalog_read(a, str_of(rows[i].text), STR("s.json"), &f))
            fail_msg("taken: %s", rows[i].text);
        bool is_told = f.line == rows[i].line && strstr(f.message, rows[i].message) && f.file &&
                       f.hint && f.code == EXIT_USAGE;
        if (!is_told)
            fail_msg("%s:%u: %s, for: %s", f.file, f.line, f.message, rows[i].text);
    }
}

static void what_it_does_not_know_it_leaves_alone(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = STR("{\"format\": 1, \"new\": [1], " TABLE_T ", \"newer\": {}}]}");
    struct catalog *c = catalog_read(a, text, STR("s.json"), &f);
    assert_non_null(c);
    assert_non_null(catalog_find_relation(c, STR("public"), STR("t")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_exactly),
        cmocka_unit_test(what_was_dropped_is_not_written),
        cmocka_unit_test(a_broken_file_is_refused_with_its_place),
        cmocka_unit_test(what_it_does_not_know_it_leaves_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
