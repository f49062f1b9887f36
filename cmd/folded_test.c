/*
 * What the planner folds from SQL is what a server makes of the same SQL: the setups and statements of
 * ../shared/truth, our own projects, and the histories of ../shared/corpora (or below $MIGRATE_SHARED).
 * The catalog is read from the server and compared as JSON; names that the server makes up agree.
 *
 * FOLDED_STEP=1 takes every case of ../shared/truth, not one of several; FOLDED_ONLY names one case or
 * history; SHOW_ALL=1 prints every difference and goes on.
 */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fs.h"
#include "core/base/json.h"
#include "core/base/vec.h"
#include "drivers/postgres/driver.h"
#include "drivers/source/directory.h"
#include "drivers/testkit/catalog_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"
#include "planner/planner.h"
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"
#include "planner/postgres/parse.h"

static struct pg_cluster *cluster;
static unsigned counted, differing, unlike;

static const char *shared(const char *name)
{
    const char *directory = getenv("MIGRATE_SHARED");
    return fixture_text("%s/%s", directory && *directory ? directory : "../shared", name);
}

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    const char *space = fixture_directory();
    fixture_give_to_server_user(space);
    pg_cluster_execute(cluster, "postgres",
                       "CREATE ROLE app_owner; CREATE ROLE app_reader; CREATE ROLE app_writer");
    pg_cluster_execute(cluster, "postgres",
                       fixture_text("CREATE TABLESPACE fastdisk LOCATION '%s'", space));
    return 0;
}

/* ---- the server's ---- */

static struct catalog *read_live(struct arena *a, const char *url)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct driver *driver = postgres_driver();
    struct connect_options options = {.url = str_of(url), .is_read_only = true};
    struct connection *c = driver->open(a, &options, &f);
    struct server_identity identity;
    struct catalog *out = NULL;
    if (c && driver->identity(a, c, &identity, &f))
        out = driver->read_catalog(a, c, &f);
    if (!out)
        fail_msg("%s", f.message);
    for (size_t i = 0; i < out->left_out.count; i++)
        fail_msg("left out: %.*s", STR_ARG(out->left_out.at[i]));
    driver->close(c);
    return out;
}

/* ---- what is folded ---- */

struct folding {
    struct arena *a;
    const struct text *texts;
    struct str search_path; /* what the database has set: no script says so */
    struct catalog *out;
};

struct text {
    struct str sql;
    struct str name;
    const struct migration *migration; /* or NULL: sql */
};

struct texts {
    struct text *at;
    size_t count, room;
};

static void fold_text(struct folding *folding, struct postgres_analysis *p, const struct text *t)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {
        .dialect = &postgres_dialect,
        .server_version = (uint32_t)pg_cluster_version(cluster),
        .wants_analysis = true,
    };
    SCOPED(script)
    struct script *script = t->migration ? script_open(t->migration, false, &how, &f)
                                         : script_open_memory(t->sql, t->name, &how);
    struct script_batch batch = {.count = script != NULL};
    struct analysis ignored;
    postgres_analysis_migration(p, t->name, TRANSACTION_AUTO);
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            break;
        for (size_t i = 0; i < batch.count; i++)
            postgres_analysis_statement(folding->a, p, &batch.statements[i], &ignored);
        struct str piece = {.len = batch.count &&
                                   batch.statements[batch.count - 1].is_copy_from_stdin};
        while (piece.len && script_copy_data(script, &piece, &f))
            ;
    }
    postgres_analysis_event(p, ANALYSIS_TRANSACTION_ENDS);
    if (fail_is_set(&f))
        print_message("%.*s: %s\n", STR_ARG(t->name), f.message);
}

static void *fold_all(void *context)
{
    struct folding *folding = context;
    struct catalog *c = catalog_make(folding->a);
    catalog_add_schema(c, STR("public"));
    catalog_set(c, STR("search_path"), folding->search_path, false);
    SCOPED(postgres_analysis)
    struct postgres_analysis *p =
        postgres_analysis_open(folding->a, c, (uint32_t)pg_cluster_version(cluster), NULL);
    for (const struct text *t = folding->texts; t->name.len; t++)
        fold_text(folding, p, t);
    folding->out = postgres_analysis_catalog(p);
    return NULL;
}

/* Trees are deep. */
static void in_large_thread(void *(*run)(void *context), void *context)
{
    pthread_t thread;
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES);
    if (pthread_create(&thread, &attributes, run, context) != 0)
        fixture_die("no thread");
    (void)pthread_join(thread, NULL);
    (void)pthread_attr_destroy(&attributes);
}

/* texts end with one without a name. */
static struct catalog *fold(struct arena *a, struct str search_path, const struct text *texts)
{
    struct folding folding = {.a = a, .texts = texts, .search_path = search_path};
    in_large_thread(fold_all, &folding);
    return folding.out;
}

static void compare(struct arena *a, const char *name, const char *url, const struct text *texts)
{
    struct catalog *server = read_live(a, url);
    struct str search_path = catalog_setting(server, "search_path");
    struct catalog *script = fold(a, search_path, texts);
    catalog_kit_forget_unknown(server, script);
    struct str live = catalog_kit_text(a, server);
    struct str folded = catalog_kit_text(a, script);
    const char *difference = catalog_kit_difference(live, folded);
    counted++;
    if (!*difference)
        return;
    differing++;
    printf("%s: what was folded is not what the server has:\n%.*s\n", name,
           getenv("SHOW_ALL") ? INT_MAX : 3000, difference);
}

/* ---- what is foretold with either ---- */

struct prediction {
    struct arena *a;
    const struct text *setup; /* folded into an empty catalog; or NULL */
    const struct text *sql;
    struct catalog *catalog; /* the one that it begins with, or made of setup */
    const char *foretold;    /* locks, rewrites, scans and builds, a line each, sorted */
};

typedef VEC_OF(const char *) lines;

static int by_line(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_objects(struct arena *a, lines *out, const char *what,
                        const struct effect_object *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *line = arena_printf(a, "%s %.*s\n", what, STR_ARG(at[i].relation));
        vec_push(a, out, line);
    }
}

static const char *effects_text(struct arena *a, const struct effects *e)
{
    lines all = {0};
    for (size_t i = 0; i < e->locks.count; i++) {
        const struct effect_lock *lock = &e->locks.at[i];
        const char *line = arena_printf(a, "lock %.*s %s %s\n", STR_ARG(lock->relation),
                                        relation_kind_name(lock->kind), lock_mode_name(lock->mode));
        vec_push(a, &all, line);
    }
    add_objects(a, &all, "rewrite", e->rewrites.at, e->rewrites.count);
    add_objects(a, &all, "scan", e->scans.at, e->scans.count);
    add_objects(a, &all, "build", e->builds.at, e->builds.count);
    SCOPED(buf) struct buf text = {0};
    if (all.count)
        qsort(all.at, all.count, sizeof(*all.at), by_line);
    for (size_t i = 0; i < all.count; i++)
        buf_add_cstr(&text, all.at[i]);
    buf_printf(&text, "missing: %s\n", e->missing ? e->missing : "");
    return arena_cstr(a, buf_str(&text));
}

static void each_statement(const struct text *t, struct prediction *to, struct postgres_analysis *p,
                           bool is_setup)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {
        .dialect = &postgres_dialect,
        .server_version = (uint32_t)pg_cluster_version(cluster),
        .wants_analysis = true,
    };
    SCOPED(script) struct script *script = script_open_memory(t->sql, t->name, &how);
    struct script_batch batch = {.count = 1};
    struct effects all = {0};
    while (batch.count && script_next(script, &batch, &f)) {
        for (size_t i = 0; i < batch.count; i++) {
            struct analysis found = {0};
            if (is_setup)
                postgres_analysis_fold(p, &batch.statements[i]);
            else
                postgres_analysis_statement(to->a, p, &batch.statements[i], &found);
            effects_merge(to->a, &all, &found.effects);
        }
    }
    if (!is_setup)
        to->foretold = effects_text(to->a, &all);
}

static void *predict_all(void *context)
{
    struct prediction *to = context;
    SCOPED(postgres_analysis)
    struct postgres_analysis *p =
        postgres_analysis_open(to->a, to->catalog, (uint32_t)pg_cluster_version(cluster), NULL);
    if (to->setup) {
        each_statement(to->setup, to, p, true);
        postgres_analysis_fold_end(p, true);
    }
    to->catalog = postgres_analysis_catalog(p);
    postgres_analysis_migration(p, to->sql->name, TRANSACTION_AUTO);
    each_statement(to->sql, to, p, false);
    return NULL;
}

static struct catalog *through_json(struct arena *a, const struct catalog *c)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(json) struct json *j = catalog_json(c);
    struct catalog *again = catalog_read(a, json_line(a, j), STR("snapshot.json"), &f);
    if (!again)
        fail_msg("%s", f.message);
    return again;
}

/* From a live catalog, as a snapshot has it, the same is foretold as from the script that made it. */
static void compare_predictions(struct arena *a, const char *name, const char *url,
                                const struct text *texts)
{
    struct prediction folded = {.a = a, .setup = &texts[0], .sql = &texts[1]};
    in_large_thread(predict_all, &folded);
    struct prediction live = {
        .a = a, .sql = &texts[1], .catalog = through_json(a, read_live(a, url))};
    /* A session's own settings are with nobody else. */
    for (size_t i = 0; i < folded.catalog->settings.count; i++)
        catalog_set(live.catalog, folded.catalog->settings.at[i].name,
                    folded.catalog->settings.at[i].value, false);
    in_large_thread(predict_all, &live);
    if (strcmp(folded.foretold, live.foretold) == 0)
        return;
    unlike++;
    printf("%s: from the script\n%sfrom the server\n%s\n", name, folded.foretold, live.foretold);
}

/* ---- ../shared/truth ---- */

static bool run_sql(const char *database, const char *sql)
{
    const char *const argv[] = {
        fixture_path(pg_cluster_bin(), "psql"),  "-Xq1bv", "ON_ERROR_STOP=1", "-f", "-",
        pg_cluster_url(cluster, database, NULL), NULL};
    const char *const alone[] = {argv[0], "-Xqbv", argv[2], "-f", "-", argv[5], NULL};
    struct program_result r = run_program(&(struct program_options){.argv = argv, .input = sql});
    bool is_done = r.exit_code == 0;
    program_result_release(&r);
    if (is_done)
        return true;
    r = run_program(&(struct program_options){.argv = alone, .input = sql});
    is_done = r.exit_code == 0;
    program_result_release(&r);
    return is_done;
}

static bool is_since(const struct json *one)
{
    int64_t major = pg_cluster_version(cluster) / 10000;
    int64_t bound;
    return (!json_i64_of(json_get(one, "since"), &bound) || major >= bound) &&
           (!json_i64_of(json_get(one, "until"), &bound) || major <= bound);
}

/* What the fold leaves to a live catalog, and why. */
static const char *const known[] = {
    "partition.detach_concurrently", /* the CHECK that stays behind has no SQL of its own */
};

static bool is_known(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_equal(id, str_of(known[i])))
            return true;
    }
    return false;
}

static void compare_case(const struct json *one, unsigned number)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *database = fixture_text("truth_%u", number);
    struct str id = json_str_of(json_get(one, "id"));
    struct str setup = json_str_of(json_get(one, "setup"));
    struct str sql = json_str_of(json_get(one, "sql"));
    const char *url = pg_cluster_database(cluster, database);
    const char *setup_text = arena_printf(a, "%.*s\n;\n", STR_ARG(setup));
    const char *text = arena_printf(a, "%.*s;\n", STR_ARG(sql));
    bool is_ready = is_since(one) && run_sql(database, setup_text);
    /* A statement that fails is not folded by anyone. */
    struct text texts[] = {
        {.sql = str_of(setup_text), .name = STR("setup.sql")},
        {.sql = str_of(text), .name = STR("case.sql")},
        {.name = STR("")},
    };
    if (is_ready && !json_get(one, "copy_data"))
        compare_predictions(a, arena_cstr(a, id), url, texts);
    /* A statement that fails is not folded by anyone. */
    bool is_done = is_ready && !json_get(one, "copy_data") && run_sql(database, text);
    if (is_done && !is_known(id))
        compare(a, arena_cstr(a, id), url, texts);
    /* Where that is impossible (a subscription, a prepared transaction) it stays. */
    (void)pg_cluster_query(cluster, "postgres", fixture_text("DROP DATABASE \"%s\"", database));
}

static bool is_wanted(struct str name)
{
    const char *only = getenv("FOLDED_ONLY");
    return !only || str_find(name, str_of(only)) != SIZE_MAX;
}

static unsigned step(void)
{
    const char *text = getenv("FOLDED_STEP");
    uint64_t number;
    if (text && str_to_u64(str_of(text), &number) && number)
        return (unsigned)number;
    return getenv("FOLDED_ONLY") ? 1 : 8;
}

static void cases_of_truth(void **state UNUSED)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    const char *path = shared("truth/cases/open.jsonl");
    if (!fs_exists(path)) {
        print_message("there is no %s: nothing is compared\n", path);
        skip();
    }
    if (!fs_read(a, path, (size_t)64 << 20, &text, &f))
        fail_msg("%s", f.message);
    counted = differing = unlike = 0;
    for (unsigned number = 0; text.len; number++) {
        struct str line;
        text = str_cut_line(text, &line);
        SCOPED(json) struct json *one = json_parse(line, str_of(path), &f);
        if (!one)
            fail_msg("%s", f.message);
        if (number % step() == 0 && is_wanted(json_str_of(json_get(one, "id"))))
            compare_case(one, number);
    }
    print_message("%u of %u cases differ, %u are foretold in another way\n", differing, counted,
                  unlike);
    assert_int_equal(differing + unlike, 0);
}

/* ---- whole histories ---- */

/* The numbered scripts of a corpus, as psql was given them: lines of steps.tsv, with text at its end. */
static void add_steps(struct arena *a, const char *directory, struct texts *out)
{
    char *steps = fixture_read(fixture_path(directory, "steps.tsv"));
    struct str rest = arena_str(a, str_of(steps));
    struct str line;
    free(steps);
    while (rest.len) {
        struct str field = {0};
        struct str tail;
        rest = str_cut_line(rest, &line);
        tail = line;
        for (int i = 0; i < 6 && tail.len; i++)
            tail = str_cut(tail, '\t', &field);
        struct str path = field;
        if (!path.len)
            continue;
        const char *full = fixture_text("%s/%.*s", directory, STR_ARG(path));
        char *sql = fixture_read(full);
        struct text one = {.sql = arena_str(a, str_of(sql)), .name = path};
        vec_push(a, out, one);
        free(sql);
    }
}

static void compare_corpus(const char *directory, const char *name)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct texts texts = {0};
    const char *preamble = fixture_path(directory, "PREAMBLE.sql");
    if (fs_exists(preamble)) {
        char *sql = fixture_read(preamble);
        struct text one = {.sql = arena_str(a, str_of(sql)), .name = STR("PREAMBLE.sql")};
        vec_push(a, &texts, one);
        free(sql);
    }
    add_steps(a, directory, &texts);
    const char *database = fixture_text("corpus %s", name);
    const char *url = pg_cluster_database(cluster, database);
    for (size_t i = 0; i < texts.count; i++) {
        if (run_sql(database, arena_cstr(a, texts.at[i].sql)))
            continue;
        if (pg_cluster_version(cluster) / 10000 >= 15)
            fail_msg("%s: %.*s failed", name, STR_ARG(texts.at[i].name));
        print_message("%s is not for a server as old as this one\n", name);
        return;
    }
    vec_push(a, &texts, (struct text){0});
    compare(a, name, url, texts.at);
}

static bool is_postgres(const char *directory)
{
    const char *manifest = fixture_path(directory, "MANIFEST.json");
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (!fs_exists(manifest))
        return false;
    char *text = fixture_read(manifest);
    SCOPED(json) struct json *j = json_parse(str_of(text), STR("MANIFEST.json"), &f);
    free(text);
    return j && engine_of_name(json_str_of(json_get(j, "engine"))) == ENGINE_POSTGRES;
}

static void histories_of_others(void **state UNUSED)
{
    const char *path = shared("corpora");
    DIR *directory = opendir(path);
    if (!directory) {
        print_message("there is no %s: nothing is compared\n", path);
        skip();
    }
    counted = differing = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *one = fixture_path(path, entry->d_name);
        if (entry->d_name[0] != '.' && is_wanted(str_of(entry->d_name)) && is_postgres(one))
            compare_corpus(one, fixture_text("%s", entry->d_name));
    }
    (void)closedir(directory);
    print_message("%u of %u histories differ\n", differing, counted);
    assert_int_equal(differing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_of_truth),
        cmocka_unit_test(histories_of_others),
    };
    return cmocka_run_group_tests(tests, start_cluster, NULL);
}
