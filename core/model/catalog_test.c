/* The catalog's lists and names: what is found where, what goes with what, how names are quoted. */
#include "core/model/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

static struct catalog *make(struct arena *a)
{
    struct catalog *c = catalog_make(a);
    catalog_add_schema(c, STR("public"));
    return c;
}

static struct catalog_relation *table_in(struct catalog *c, const char *schema, const char *name)
{
    return catalog_add_relation(c, RELATION_TABLE, str_of(schema), str_of(name));
}

static struct catalog_relation *table(struct catalog *c, const char *name)
{
    return table_in(c, "public", name);
}

static struct catalog_relation *find(const struct catalog *c, const char *schema, const char *name)
{
    return catalog_find_relation(c, str_of(schema), str_of(name));
}

static void set(struct catalog *c, const char *name, const char *value)
{
    catalog_set(c, str_of(name), str_of(value), false);
}

/* ---- names ---- */

static void thousands_of_names_are_found(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    enum { MANY = 5000 };
    for (int i = 0; i < MANY; i++)
        table(c, arena_printf(a, "t%d", i));
    for (int i = 0; i < MANY; i++) {
        const struct catalog_relation *r = find(c, "public", arena_printf(a, "t%d", i));
        assert_non_null(r);
        assert_string_equal(arena_cstr(a, r->name), arena_printf(a, "t%d", i));
    }
    assert_null(find(c, "public", "t5000"));
    assert_null(find(c, "other", "t1"));
}

static void the_search_path_is_followed(void **state)
{
    (void)state;
    static const struct {
        const char *path; /* NULL: never set */
        const char *found;
        const char *created_in;
    } cases[] = {
        {NULL, "public", "public"},
        {"app, public", "app", "app"},
        {"public, app", "public", "public"},
        {"gone, app", "app", "app"},
        {"\"My Schema\"", "My Schema", "My Schema"},
        {"  APP  ,public", "app", "app"},
        {"\"a\"\"b\",app", "a\"b", "a\"b"},
        {"\"$user\", app", "app", "app"},
        {"pg_catalog, app", "app", "app"},
        {"", NULL, "public"},
    };
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    static const char *const schemas[] = {"app", "public", "My Schema", "a\"b"};
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
        catalog_add_schema(c, str_of(schemas[i]));
        table_in(c, schemas[i], "t");
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        catalog_set(c, STR("search_path"), cases[i].path ? str_of(cases[i].path) : (struct str){0},
                    false);
        const struct catalog_relation *r = find(c, "", "t");
        if (!cases[i].found != !r || (r && !str_equal(r->schema, str_of(cases[i].found))))
            fail_msg("%s: %.*s", cases[i].path, STR_ARG(r ? r->schema : STR("nothing")));
        struct str creation = catalog_creation_schema(c);
        if (!str_equal(creation, str_of(cases[i].created_in)))
            fail_msg("%s: created in %.*s", cases[i].path, STR_ARG(creation));
    }
}

static void temporary_relations_hide_others(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    table(c, "t");
    struct catalog_relation *temporary = table_in(c, "pg_temp", "t");
    assert_true(find(c, "", "t") == temporary);
    set(c, "search_path", "public, pg_temp");
    assert_true(find(c, "", "t") != temporary);
    assert_true(str_equal(catalog_creation_schema(c), STR("public")));
}

static void overloads_come_in_order_and_along_the_path(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    struct catalog_function *f[] = {
        catalog_add_function(c, STR("public"), STR("f")),
        catalog_add_function(c, STR("app"), STR("f")),
        catalog_add_function(c, STR("public"), STR("f")),
        catalog_add_function(c, STR("public"), STR("g")),
    };
    set(c, "search_path", "app, public");
    struct catalog_function *at = catalog_find_function(c, STR(""), STR("f"), NULL);
    assert_true(at == f[1]);
    at = catalog_find_function(c, STR(""), STR("f"), at);
    assert_true(at == f[0]);
    at = catalog_find_function(c, STR(""), STR("f"), at);
    assert_true(at == f[2]);
    assert_null(catalog_find_function(c, STR(""), STR("f"), at));
    catalog_drop_function(c, f[0]);
    assert_true(catalog_find_function(c, STR("public"), STR("f"), NULL) == f[2]);
}

static void new_names_are_found_and_old_ones_are_not(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    struct catalog_relation *t = table(c, "t");
    catalog_rename_relation(c, t, STR("app"), STR("u"));
    assert_null(find(c, "public", "t"));
    assert_true(find(c, "app", "u") == t);
    assert_true(catalog_find_type(c, STR("app"), STR("u")) == t->row_type);
    catalog_add_schema(c, STR("app"));
    catalog_rename_schema(c, STR("app"), STR("shop"));
    assert_true(find(c, "shop", "u") == t);
    assert_false(catalog_has_schema(c, STR("app")));
    assert_true(catalog_has_schema(c, STR("shop")));
}

/* ---- what goes with what ---- */

static void a_table_goes_with_what_it_owns(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    const struct type_ref type = {.builtin = STR("int4"), .typmod = -1};
    struct catalog_relation *t = table(c, "t");
    struct catalog_relation *other = table(c, "other");
    struct catalog_column *id = catalog_add_column(c, t, STR("id"), &type);
    struct catalog_relation *key = catalog_add_index(c, t, STR("t_pkey"));
    struct catalog_constraint *k =
        catalog_add_constraint(c, t, CONSTRAINT_PRIMARY_KEY, STR("t_pkey"));
    k->index = key;
    key->index->constraint = k;
    struct catalog_constraint *foreign =
        catalog_add_constraint(c, other, CONSTRAINT_FOREIGN_KEY, STR("fk"));
    foreign->index = key;
    struct catalog_relation *sequence =
        catalog_add_relation(c, RELATION_SEQUENCE, STR("public"), STR("t_id_seq"));
    catalog_own_sequence(c, sequence, t, id);
    catalog_own_sequence(c, sequence, t, id);
    size_t at = 0;
    assert_ptr_equal(catalog_next_owned(t, &at), sequence);
    assert_null(catalog_next_owned(t, &at));
    catalog_drop_constraint(c, foreign);
    assert_false(key->is_dropped); /* it belongs to the other side */
    catalog_drop_relation(c, t);
    assert_true(t->is_dropped && key->is_dropped && k->is_dropped && sequence->is_dropped);
    assert_false(other->is_dropped);
    assert_null(find(c, "public", "t_pkey"));
    assert_null(catalog_find_type(c, STR("public"), STR("t")));
    assert_true(table(c, "t") == find(c, "public", "t")); /* the name is free again */
}

static void an_index_takes_its_constraint_along(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    struct catalog_relation *t = table(c, "t");
    struct catalog_relation *index = catalog_add_index(c, t, STR("k"));
    struct catalog_constraint *k = catalog_add_constraint(c, t, CONSTRAINT_UNIQUE, STR("k"));
    k->index = index;
    index->index->constraint = k;
    assert_non_null(catalog_find_constraint(t, STR("k")));
    catalog_drop_constraint(c, k);
    assert_true(index->is_dropped);
    assert_null(catalog_find_constraint(t, STR("k")));
}

static void what_was_made_by_the_plan_is_new(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    struct catalog_relation *old = table(c, "old");
    assert_false(catalog_is_new(c, old));
    c->migration = 2;
    struct catalog_relation *fresh = table(c, "fresh");
    assert_false(catalog_is_new(c, old));
    assert_true(catalog_is_new(c, fresh));
    assert_true(catalog_may_have_rows(fresh)); /* until somebody says otherwise */
    fresh->rows = ROWS_NONE;
    assert_false(catalog_may_have_rows(fresh));
    fresh->rows = ROWS_NONE_WRITTEN;
    assert_true(catalog_may_have_rows(fresh));
}

/* ---- settings ---- */

static void settings_are_as_a_session_has_them(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    struct catalog *c = make(a);
    assert_null(catalog_setting(c, "timezone").at);
    set(c, "TimeZone", "UTC");
    assert_true(str_equal(catalog_setting(c, "timezone"), STR("UTC")));
    catalog_set(c, STR("timezone"), STR("Europe/London"), true);
    assert_true(str_equal(catalog_setting(c, "timezone"), STR("Europe/London")));
    catalog_end_transaction(c);
    assert_true(str_equal(catalog_setting(c, "timezone"), STR("UTC")));
    catalog_set(c, STR("x.y"), STR("1"), true);
    set(c, "x.y", "2"); /* outlives the local one */
    assert_true(str_equal(catalog_setting(c, "x.y"), STR("2")));
    catalog_end_transaction(c);
    assert_true(str_equal(catalog_setting(c, "x.y"), STR("2")));
    catalog_set(c, STR("x.y"), (struct str){0}, false);
    assert_null(catalog_setting(c, "x.y").at);
}

/* ---- quoting ---- */

static void identifiers_are_quoted_as_the_server_does(void **state)
{
    (void)state;
    static const struct {
        const char *name, *quoted;
    } cases[] = {
        {"orders", "orders"},
        {"_x1", "_x1"},
        {"1x", "\"1x\""},
        {"Orders", "\"Orders\""},
        {"two words", "\"two words\""},
        {"a\"b", "\"a\"\"b\""},
        {"a$b", "\"a$b\""},
        {"naïve", "\"naïve\""},
        {"", "\"\""},
        {"user", "\"user\""},       /* reserved */
        {"between", "\"between\""}, /* a column's name, but no function's */
        {"left", "\"left\""},       /* a function's, but no column's */
        {"name", "name"},           /* unreserved */
        {"key", "key"},
        {"zone", "zone"},
        {"xmltable", "\"xmltable\""},
        {"all", "\"all\""},
    };
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str quoted = catalog_identifier(a, str_of(cases[i].name));
        if (!str_equal(quoted, str_of(cases[i].quoted)))
            fail_msg("%s: %.*s", cases[i].name, STR_ARG(quoted));
    }
    struct str text = catalog_name_text(a, STR("My"), STR("order"));
    assert_true(str_equal(text, STR("\"My\".\"order\"")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_of_names_are_found),
        cmocka_unit_test(the_search_path_is_followed),
        cmocka_unit_test(temporary_relations_hide_others),
        cmocka_unit_test(overloads_come_in_order_and_along_the_path),
        cmocka_unit_test(new_names_are_found_and_old_ones_are_not),
        cmocka_unit_test(a_table_goes_with_what_it_owns),
        cmocka_unit_test(an_index_takes_its_constraint_along),
        cmocka_unit_test(what_was_made_by_the_plan_is_new),
        cmocka_unit_test(settings_are_as_a_session_has_them),
        cmocka_unit_test(identifiers_are_quoted_as_the_server_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
