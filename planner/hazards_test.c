/*
 * testdata/hazards/<id>/: bad.sql raises exactly what expect.json lists, good.sql nothing of that id; on the
 * text alone, with schema.sql as an earlier migration, and with a catalog that schema.sql has made. One
 * directory for each rule. MIGRATE_ACCEPT=1 writes expect.json anew: look at the difference.
 *
 * options: words of the lines below, separated by ';':
 *   strict            the profile
 *   version N         of the server
 *   needs catalog     only the catalog can tell: bad raises it with a schema
 *   needs folded      only behind an earlier migration
 *   needs complete    only where nothing is left out of the catalog
 *   good needs catalog  good is only told from bad with a schema
 *   rows|size|reads TABLE N, last SEQUENCE N, invalid|unused INDEX   what the target's statistics say
 *   open|vacuumed TABLE MINUTES  a transaction, or a vacuum against a wraparound, has locked it so long
 *   fails             a server refuses bad; unreal: it knows neither bad nor the schema
 *   unreported        nothing reports it yet, or not here
 *   unchecked         not with the schema
 */
#include "planner/planner.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/json.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"
#include "planner/rules.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CASES "testdata/hazards"

enum mode { MODE_TEXT, MODE_FOLDED, MODE_CATALOG, MODE_MAX };
static const char *const mode_names[] = {"text", "folded", "catalog"};

struct hazard_case {
    struct arena *a;
    const char *id;
    struct str options;
    const char *schema; /* paths; NULL: there is none */
    const char *bad, *good;
};

static const char *file_of(struct arena *a, const char *id, const char *name)
{
    const char *path = arena_printf(a, "%s/%s/%s", CASES, id, name);
    return fs_exists(path) ? path : NULL;
}

static struct str read_file(struct arena *a, const char *path)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    if (!path)
        return STR("");
    if (!fs_read(a, path, (size_t)1 << 20, &text, &f))
        fail_msg("%s", f.message);
    return text;
}

static struct hazard_case case_of(struct arena *a, const char *id)
{
    return (struct hazard_case){
        .a = a,
        .id = id,
        .options = str_trim(read_file(a, file_of(a, id, "options"))),
        .schema = file_of(a, id, "schema.sql"),
        .bad = file_of(a, id, "bad.sql"),
        .good = file_of(a, id, "good.sql"),
    };
}

/* What stands behind an option; at == NULL: it is not there. */
static struct str option(const struct hazard_case *c, const char *name)
{
    struct str rest = c->options;
    while (rest.len) {
        struct str word;
        rest = str_cut(rest, ';', &word);
        word = str_trim(word);
        if (str_starts(word, str_of(name)) &&
            (word.len == strlen(name) || word.at[strlen(name)] == ' '))
            return str_trim(str_skip(word, strlen(name)));
    }
    return (struct str){0};
}

static bool has(const struct hazard_case *c, const char *name)
{
    return option(c, name).at != NULL;
}

static uint32_t version_of(const struct hazard_case *c)
{
    struct str text = option(c, "version");
    struct str major;
    struct str minor = str_cut(text, '.', &major);
    uint64_t number = 0;
    uint64_t patch = 0;
    if (!str_to_u64(major, &number))
        return 0;
    if (!str_to_u64(minor, &patch))
        patch = 0;
    return (uint32_t)(number * 10000 + patch);
}

/* ---- the catalog ---- */

static struct str word_and_number(struct str text, int64_t *out)
{
    struct str word;
    struct str rest = str_cut(text, ' ', &word);
    if (!str_to_i64(rest, out))
        *out = 0;
    return word;
}

static struct catalog_relation *named(struct catalog *c, struct str text, int64_t *out)
{
    struct str name = word_and_number(text, out);
    return name.len ? catalog_find_relation(c, STR("public"), name) : NULL;
}

static void add_transaction(struct catalog *c, const struct catalog_relation *r, int64_t minutes,
                            bool is_wraparound, struct arena *a)
{
    struct catalog_transaction *t = arena_new(a, struct catalog_transaction);
    *t = (struct catalog_transaction){
        .who = STR("4711"),
        .role = STR("report"),
        .state = is_wraparound ? STR("autovacuum worker") : STR("idle in transaction"),
        .open_us = minutes * 60 * 1000000,
        .has_snapshot = true,
        .is_wraparound = is_wraparound,
    };
    struct catalog_lock_held lock = {
        .relation = r,
        .mode = is_wraparound ? LOCK_SHARE_UPDATE_EXCLUSIVE : LOCK_ACCESS_SHARE,
    };
    vec_push(a, &t->locks, lock);
    vec_push(a, &c->transactions, t);
}

/* What a live target would have said. */
static void take_statistics(const struct hazard_case *c, struct catalog *catalog)
{
    int64_t n;
    struct catalog_relation *r;
    if ((r = named(catalog, option(c, "rows"), &n)))
        r->row_estimate = (double)n;
    if ((r = named(catalog, option(c, "size"), &n)))
        r->size_bytes = n;
    if ((r = named(catalog, option(c, "reads"), &n)))
        r->seq_scans = n;
    if ((r = named(catalog, option(c, "last"), &n)))
        r->sequence->last_value = n;
    if ((r = named(catalog, option(c, "invalid"), &n)))
        r->index->is_valid = false;
    if ((r = named(catalog, option(c, "unused"), &n)))
        r->index->scans = 0;
    if ((r = named(catalog, option(c, "open"), &n)))
        add_transaction(catalog, r, n, false, c->a);
    if ((r = named(catalog, option(c, "vacuumed"), &n)))
        add_transaction(catalog, r, n, true, c->a);
}

static struct catalog *catalog_of(const struct hazard_case *c)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct catalog *catalog = catalog_make(c->a);
    catalog_add_schema(catalog, STR("public"));
    catalog->server_version = version_of(c);
    SCOPED(postgres_analysis)
    struct postgres_analysis *p = postgres_analysis_open(c->a, catalog, version_of(c), NULL);
    const struct script_context how = {.dialect = &postgres_dialect, .wants_analysis = true};
    SCOPED(script)
    struct script *script = script_open_memory(read_file(c->a, c->schema), STR("schema.sql"), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s: %s", c->id, f.message);
        for (size_t i = 0; i < batch.count; i++)
            postgres_analysis_fold(p, &batch.statements[i]);
    }
    postgres_analysis_fold_end(p, true);
    /* What the real tables hold is not in the script. */
    for (size_t i = 0; i < catalog->relations.count; i++)
        catalog->relations.at[i]->rows = ROWS_UNKNOWN;
    take_statistics(c, catalog);
    return catalog;
}

/* ---- findings ---- */

static const struct migration *migration_of(struct arena *a, const char *path, const char *version)
{
    struct str text = read_file(a, path);
    struct migration *m = arena_new(a, struct migration);
    *m = (struct migration){
        .version = str_of(version),
        .kind = MIGRATION_VERSIONED,
        .path = str_of(path),
        .script = str_of(path),
        .up = {0, UINT64_MAX},
        .size_bytes = text.len,
        .checksums = {.raw = digest_of(text)},
    };
    if (str_starts(text, STR("-- migrate: no-transaction")))
        m->transaction = TRANSACTION_NONE;
    return m;
}

struct id_list {
    const char **at;
    size_t count, room;
};

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_ids(struct arena *a, const struct hazards *from, struct id_list *out)
{
    for (size_t i = 0; i < from->count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < out->count; k++)
            is_new = is_new && strcmp(out->at[k], from->at[i].rule->id) != 0;
        assert_true(from->at[i].message[0] && from->at[i].fix[0]);
        if (is_new)
            vec_push(a, out, from->at[i].rule->id);
    }
}

static struct id_list find(const struct hazard_case *c, enum mode mode, const char *path)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct migration *list[2];
    size_t count = 0;
    const struct hazard_policy policy = {.is_strict = has(c, "strict")};
    if (mode == MODE_FOLDED)
        list[count++] = migration_of(c->a, c->schema, "1");
    list[count++] = migration_of(c->a, path, "2");
    struct plan_request request = {
        .migrations = list,
        .count = count,
        .dialect = &postgres_dialect,
        .server_version = version_of(c),
        .wants_statements = true,
        .is_lenient = true,
        .policy = &policy,
    };
    if (mode == MODE_CATALOG)
        request.catalog = catalog_of(c);
    struct plan plan;
    struct id_list ids = {0};
    if (!plan_make(c->a, &request, &plan, &f))
        fail_msg("%s: %s: %s", c->id, path, f.message);
    const struct planned_migration *m = &plan.migrations[count - 1];
    for (size_t i = 0; i < m->statements.count; i++)
        add_ids(c->a, &m->statements.at[i].hazards, &ids);
    add_ids(c->a, &m->hazards, &ids);
    if (ids.count)
        qsort(ids.at, ids.count, sizeof(*ids.at), compare_texts);
    return ids;
}

static bool contains(const struct id_list *ids, const char *id)
{
    for (size_t i = 0; i < ids->count; i++) {
        if (strcmp(ids->at[i], id) == 0)
            return true;
    }
    return false;
}

/* ---- what is expected ---- */

static bool is_mode_used(const struct hazard_case *c, enum mode mode)
{
    return mode == MODE_TEXT || (c->schema && !has(c, "unchecked"));
}

static bool must_raise(const struct hazard_case *c, enum mode mode)
{
    if (has(c, "unreported"))
        return false;
    if (has(c, "needs folded"))
        return mode == MODE_FOLDED;
    if (has(c, "needs complete"))
        return mode == MODE_CATALOG;
    bool has_statistics = has(c, "rows") || has(c, "size") || has(c, "reads") || has(c, "last") ||
                          has(c, "invalid") || has(c, "unused") || has(c, "open") ||
                          has(c, "vacuumed");
    if (has_statistics)
        return mode == MODE_CATALOG;
    return mode != MODE_TEXT || !has(c, "needs catalog") || !c->schema;
}

static const char *text_of_ids(struct arena *a, const struct id_list *ids)
{
    const char *text = "";
    for (size_t i = 0; i < ids->count; i++)
        text = arena_printf(a, "%s%s\"%s\"", text, i ? ", " : "", ids->at[i]);
    return arena_printf(a, "[%s]", text);
}

static const char *found_in_all(const struct hazard_case *c)
{
    const char *text = "{\n";
    for (enum mode mode = 0; mode < MODE_MAX; mode++) {
        if (!is_mode_used(c, mode))
            continue;
        struct id_list ids = find(c, mode, c->bad);
        text = arena_printf(c->a, "%s%s  \"%s\": %s", text, mode ? ",\n" : "", mode_names[mode],
                            text_of_ids(c->a, &ids));
        if (must_raise(c, mode) && !contains(&ids, c->id))
            print_error("%s: bad.sql does not raise it (%s): %s\n", c->id, mode_names[mode],
                        text_of_ids(c->a, &ids));
    }
    return arena_printf(c->a, "%s\n}\n", text);
}

static bool check_case(struct arena *a, const char *id)
{
    struct hazard_case c = case_of(a, id);
    bool is_good = c.bad && c.good;
    if (!is_good) {
        print_error("%s: bad.sql or good.sql is not there\n", id);
        return false;
    }
    const char *expected = arena_printf(a, "%s/%s/expect.json", CASES, id);
    const char *found = found_in_all(&c);
    if (getenv("MIGRATE_ACCEPT"))
        fixture_write(arena_printf(a, "%s/%s", CASES, id), "expect.json", found);
    struct str wanted = fs_exists(expected) ? read_file(a, expected) : STR("");
    if (!str_equal(wanted, str_of(found))) {
        print_error("%s: bad.sql raises\n%s", id, found);
        is_good = false;
    }
    for (enum mode mode = 0; mode < MODE_MAX; mode++) {
        if (!is_mode_used(&c, mode))
            continue;
        struct id_list bad = find(&c, mode, c.bad);
        struct id_list good = find(&c, mode, c.good);
        bool is_told = mode != MODE_TEXT || !has(&c, "good needs catalog");
        if (must_raise(&c, mode) && !contains(&bad, id))
            is_good = false;
        if (is_told && contains(&good, id)) {
            print_error("%s: good.sql raises it (%s)\n", id, mode_names[mode]);
            is_good = false;
        }
    }
    return is_good;
}

static void every_rule_finds_its_bad_case_and_leaves_its_good_one(void **state)
{
    (void)state;
    size_t count;
    size_t wrong = 0;
    const struct hazard_rule *const *rules = hazard_rules(&count);
    for (size_t i = 0; i < count; i++) {
        SCOPED(arena) struct arena *a = arena_make();
        if (rules[i]->engine == ENGINE_POSTGRES)
            wrong += !check_case(a, rules[i]->id);
    }
    assert_int_equal(wrong, 0);
}

static void every_directory_is_that_of_a_rule(void **state)
{
    (void)state;
    DIR *directory = opendir(CASES);
    assert_non_null(directory);
    for (const struct dirent *e; (e = readdir(directory));) {
        if (e->d_name[0] != '.' && !hazard_rule_find(str_of(e->d_name)))
            fail_msg("%s/%s: there is no such rule", CASES, e->d_name);
    }
    closedir(directory);
}

static void every_rule_says_what_why_and_what_to_do(void **state)
{
    (void)state;
    size_t count;
    const struct hazard_rule *const *rules = hazard_rules(&count);
    assert_true(count > 200);
    for (size_t i = 0; i < count; i++) {
        const struct hazard_rule *r = rules[i];
        if (i && strcmp(rules[i - 1]->id, r->id) == 0)
            fail_msg("%s is there twice", r->id);
        if (!r->title[0] || !r->why[0] || !r->fix[0] || !r->example[0] || !r->sources[0])
            fail_msg("%s lacks a text", r->id);
        if (r->why[strlen(r->why) - 1] != '.' || r->fix[strlen(r->fix) - 1] != '.')
            fail_msg("%s: why and fix are whole sentences", r->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_says_what_why_and_what_to_do),
        cmocka_unit_test(every_directory_is_that_of_a_rule),
        cmocka_unit_test(every_rule_finds_its_bad_case_and_leaves_its_good_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
