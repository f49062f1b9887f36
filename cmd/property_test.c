/*
 * On schemas that are made from numbers (drivers/testkit/schema_maker.h), with statements that fit them: as
 * it is written and in its online form a migration ends in the same schema and the same rows, or fails with
 * the same error; and what is rolled back before its contract is what it was. Here for a few numbers;
 * `make test-long` (docs/contributing.md) takes many.
 *
 * PROPERTY_FROM and PROPERTY_COUNT say which numbers; PROPERTY_RECIPE, which statements; PROPERTY_SHOW shows
 * what was made of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cmd/state_testing.h"
#include "drivers/testkit/schema_maker.h"

#define FROM 1
#define COUNT (getenv("MIGRATE_QUICK") ? 3 : 6)
#define MANY 2000
#define MOST_CHANGES 3

static struct pg_cluster *cluster;

static int start(void **state UNUSED)
{
    cluster = pg_cluster_start(&(struct pg_cluster_options){.settings = "wal_level = logical\n"});
    pg_cluster_execute(cluster, "postgres", maker_roles);
    return 0;
}

static unsigned number_of(const char *variable, unsigned otherwise)
{
    const char *text = getenv(variable);

    return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* ---- one number ---- */

struct made {
    struct arena *arena;
    unsigned number;
    const char *schema, *migration, *as_written, *recipes;
    const char *wrong; /* NULL: nothing was */
};

/* The table that is renamed in the end makes each migration one that waits, so that there is a way back. */
static const char anchor_schema[] = "CREATE TABLE anchor (id int); INSERT INTO anchor VALUES (1);";
static const char anchor_change[] = "ALTER TABLE anchor RENAME TO anchored;\n";

/* Each recipe has its turn; what follows it may be anything. */
static const char *recipe_of(unsigned number)
{
    size_t count = 0;

    while (maker_recipe(count))
        count++;
    return maker_recipe(number % count);
}

static void add_changes(struct made *made, struct maker *m, struct buf *before)
{
    const char *wanted = getenv("PROPERTY_RECIPE");
    SCOPED(buf) struct buf sql = {0};
    SCOPED(buf) struct buf written = {0};
    SCOPED(buf) struct buf recipes = {0};
    struct made_change change;

    for (unsigned i = 0, n = 1 + maker_pick(m, 2) * maker_pick(m, MOST_CHANGES); i < n; i++) {
        if (!maker_change(m, wanted || i ? wanted : recipe_of(made->number), &change))
            continue;
        buf_add_cstr(before, change.before);
        buf_add_cstr(&sql, change.sql);
        buf_add_cstr(&written, change.as_written);
        buf_printf(&recipes, " %s", change.recipe);
    }
    made->migration = arena_printf(made->arena, "%s%s", buf_cstr(&sql), anchor_change);
    made->as_written = arena_printf(made->arena, "%s%s", buf_cstr(&written), anchor_change);
    made->recipes = arena_cstr(made->arena, buf_str(&recipes));
}

static void make(struct made *made)
{
    struct maker m = {.arena = made->arena, .state = made->number};
    SCOPED(buf) struct buf before = {0};
    const char *schema = maker_schema(&m);

    add_changes(made, &m, &before);
    made->schema = arena_printf(made->arena, "%s%s%s", schema, anchor_schema, buf_cstr(&before));
    buf_release(&m.text);
    if (getenv("PROPERTY_SHOW"))
        (void)printf("%s\n---\n%s", made->schema, made->migration); /* cmocka's cut it short */
}

static struct project *copy(const struct made *made, const char *migration)
{
    struct project *p = project_make(cluster);

    project_execute(p, made->schema);
    project_write(p, "0001_made.sql", migration);
    return p;
}

static void forget(const struct project *p)
{
    pg_cluster_execute(cluster, "postgres",
                       fixture_text("DROP DATABASE \"%s\" WITH (FORCE)", p->database));
    fixture_remove(p->home);
}

static bool is_right(struct made *made, bool is_so, const char *what, const struct ran *r)
{
    if (!is_so && !made->wrong)
        made->wrong =
            r ? arena_printf(made->arena, "%s: exit %d, %s%s", what, r->exit_code, r->out, r->err)
              : what;
    return is_so;
}

static bool is_same(struct made *made, const char *left, const char *right, const char *what)
{
    const char *difference = state_difference(made->arena, left, right);

    return is_right(made, !*difference, arena_printf(made->arena, "%s:\n%s", what, difference),
                    NULL);
}

static const char *sqlstate_of(struct made *made, const struct ran *r)
{
    const char *at = strstr(r->err, "SQLSTATE ");

    return at ? arena_printf(made->arena, "%.14s", at) : "none";
}

/* true: it was taken back; what cannot be is left as it is. */
static bool roll_back(struct made *made, struct project *p, const char *first)
{
    const char *before = state_of(made->arena, p);
    struct ran r = project_run(p, "rollback", "0001", "--lossy", "--reason", "a test", NULL);

    if (r.exit_code == 0)
        return is_same(made, first, state_of(made->arena, p), "taken back it is another schema");
    is_right(made, r.exit_code == 3 || r.exit_code == 2, "rollback", &r);
    is_same(made, before, state_of(made->arena, p), "a rollback that is refused changes something");
    return false;
}

/* What ran in an online form. */
static const char *forms_of(const struct project *p)
{
    return project_query(p, "SELECT string_agg(form ->> 'recipe', ' ' ORDER BY id, n) FROM "
                            "migrator.event, json_array_elements((detail::json) "
                            "-> 'online') WITH ORDINALITY AS o (form, n) WHERE kind = 'planned'");
}

static bool contract(const struct project *p, struct ran *r)
{
    *r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    return r->exit_code == 0;
}

static bool is_switched(const struct project *p)
{
    return strcmp(project_query(p, "SELECT state FROM migrator.history"), "switched") == 0;
}

/* Without a form such a statement fails on the first row. */
static bool is_left_to_fail(const struct made *made, const struct project *p)
{
    return strstr(made->recipes, "fill-column") && !strstr(forms_of(p), "fill-column");
}

static void ends_as_written(struct made *made, struct project *p, const char *wanted)
{
    const char *first = state_of(made->arena, p);
    struct ran r = project_run(p, "apply", NULL);

    if (r.exit_code != 0 && is_left_to_fail(made, p))
        return;
    if (!is_right(made, r.exit_code == 0, "apply", &r))
        return;
    if (made->number % 2 && roll_back(made, p, first)) {
        r = project_run(p, "apply", NULL);
        is_right(made, r.exit_code == 0, "apply again", &r);
    }
    if (is_right(made, contract(p, &r), "contract", &r) && is_switched(p)) {
        if (made->number / 2 % 2 && roll_back(made, p, first)) {
            r = project_run(p, "apply", NULL);
            is_right(made, r.exit_code == 0 && contract(p, &r), "apply and contract again", &r);
        }
        is_right(made, contract(p, &r), "the second contract", &r);
    }
    if (!made->wrong)
        is_same(made, wanted, state_of(made->arena, p), "as written (<) and online (>) differ");
    if (made->number % 4)
        return;
    r = project_run(p, "doctor", NULL);
    is_right(made, r.exit_code == 0, "doctor", &r);
    r = project_run(p, "history", "--verify", NULL);
    is_right(made, r.exit_code == 0, "history", &r);
}

static void fails_as_written(struct made *made, struct project *p, const struct ran *written)
{
    const char *first = state_of(made->arena, p);
    struct ran r = project_run(p, "apply", NULL);

    if (r.exit_code == 0) /* only the last step meets it */
        r = project_run(p, "contract", "--now", "--reason", "a test", NULL);
    else
        (void)roll_back(made, p, first);
    if (is_right(made, r.exit_code != 0, "online it does not fail, as written", written) &&
        !is_left_to_fail(made, p))
        is_right(made, strcmp(sqlstate_of(made, written), sqlstate_of(made, &r)) == 0,
                 arena_printf(made->arena, "not the error of as written: %s; online", written->err),
                 &r);
}

static bool check(unsigned number)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct made made = {.arena = a, .number = number};

    make(&made);
    struct project *written = copy(&made, made.as_written);
    struct project *online = copy(&made, made.migration);
    struct ran r = project_run(written, "apply", "--rewrite", "off", NULL);
    if (r.exit_code == 0)
        ends_as_written(&made, online, state_of(a, written));
    else
        fails_as_written(&made, online, &r);
    print_message("%u%s: exit %d%s, forms: %s\n", number, made.recipes, r.exit_code,
                  r.exit_code ? arena_printf(a, " (%s)", sqlstate_of(&made, &r)) : "",
                  forms_of(online));
    if (made.wrong)
        (void)printf("PROPERTY_FROM=%u: %s\n---\n%s===\n", number, made.wrong, made.migration);
    forget(written);
    forget(online);
    return !made.wrong;
}

static void made_migrations_end_as_they_are_written(void **state UNUSED)
{
    unsigned from = number_of("PROPERTY_FROM", FROM);
    unsigned count = number_of("PROPERTY_COUNT", getenv("MIGRATE_LONG") ? MANY : COUNT);
    unsigned wrong = 0;

    for (unsigned i = 0; i < count; i++)
        wrong += !check(from + i);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_migrations_end_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
