/*
 * What is foretold beside what servers of every version really did, for every measured case. The
 * measurements are in ../shared/truth; where they are not, this says so and compares nothing. The
 * rules of the comparison are those of score.py there, which `make truth` runs against the program.
 */
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"

#include "core/base/fs.h"
#include "core/base/vec.h"
#include "core/model/script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define TRUTH "../shared/truth"
#define KEPT "testdata/truth"
/* Hundredths of a percent of each dimension, for each version. */
#define FLOOR 10000
/* Differences that are printed for each version, unless SHOW says otherwise. */
enum { SHOWN_MAX = 40 };

enum dimension { LOCKS = 0, REWRITES, SCANS, BUILDS, TRANSACTIONAL, ACCEPTED, DIMENSIONS };
static const char *const dimension_names[] = {"locks",  "rewrites",      "scans",
                                              "builds", "transactional", "accepted"};

typedef VEC_OF(struct str) names;

/* ---- reading ---- */

struct lines {
    VEC_OF(struct json *) all;
};

static struct lines read_lines(struct arena *a, const char *path)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct lines out = {0};
    struct str text;
    if (!fs_read(a, path, (size_t)256 << 20, &text, &f))
        fail_msg("%s", f.message);
    while (text.len) {
        struct str line;
        text = str_cut_line(text, &line);
        if (!line.len)
            continue;
        struct json *j = json_parse(line, str_of(path), &f);
        if (!j)
            fail_msg("%s", f.message);
        vec_push(a, &out.all, j);
    }
    return out;
}

static void release_lines(struct lines *l)
{
    for (size_t i = 0; i < l->all.count; i++)
        json_release(l->all.at[i]);
}

static struct str text_of(const struct json *j, const char *key)
{
    return json_str_of(json_get(j, key));
}

static bool is_true(const struct json *j, const char *key)
{
    bool value = false;
    return json_bool_of(json_get(j, key), &value) && value;
}

/* ---- one case ---- */

static bool is_over(const struct script_batch *batch)
{
    return batch->count == 0 || batch->is_last;
}

/* Hands every statement of a text to take(). */
static void each_statement(struct str text, uint32_t version,
                           void (*take)(void *context, const struct statement *s), void *context)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct script_context how = {
        .dialect = &postgres_dialect,
        .server_version = version,
        .wants_analysis = true,
    };
    SCOPED(script) struct script *script = script_open_memory(text, STR("case.sql"), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s: %.*s", f.message, STR_ARG(text));
        for (size_t i = 0; i < batch.count; i++)
            take(context, &batch.statements[i]);
        bool is_copy = batch.count && batch.statements[batch.count - 1].is_copy_from_stdin;
        struct str piece = {.len = is_copy};
        while (piece.len && script_copy_data(script, &piece, &f))
            ;
        if (fail_is_set(&f) || is_over(&batch))
            return; /* the measured COPY has its data elsewhere */
    }
}

struct prediction {
    struct arena *a;
    struct postgres_analysis *p;
    struct effects effects;
    bool is_transactional;
};

static void fold_one(void *context, const struct statement *s)
{
    postgres_analysis_fold(((struct prediction *)context)->p, s);
}

static void predict_one(void *context, const struct statement *s)
{
    struct prediction *out = context;
    struct analysis found;
    postgres_analysis_statement(out->a, out->p, s, &found);
    effects_merge(out->a, &out->effects, &found.effects);
    out->is_transactional &= s->role != ROLE_ALONE && !found.effects.refuses_transaction;
}

static struct prediction predict(struct arena *a, const struct json *one, uint32_t version)
{
    struct prediction out = {
        .a = a,
        .p = postgres_analysis_open(a, NULL, version, NULL),
        .is_transactional = true,
    };
    each_statement(text_of(one, "setup"), version, fold_one, &out);
    postgres_analysis_fold_end(out.p, true);
    postgres_analysis_migration(out.p, STR("case.sql"), TRANSACTION_AUTO);
    const char *sql = arena_printf(a, "%.*s;\n", STR_ARG(text_of(one, "sql")));
    each_statement(str_of(sql), version, predict_one, &out);
    return out;
}

/* ---- comparing ---- */

/* Relations are told without the schema public. */
static struct str base(struct str name)
{
    return str_starts(name, STR("public.")) ? str_skip(name, 7) : name;
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool has(const names *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_equal(list->at[i], name))
            return true;
    }
    return false;
}

/* Sorted, once each, as one line. */
static const char *joined(struct arena *a, names *list)
{
    SCOPED(buf) struct buf out = {0};
    if (list->count)
        qsort(list->at, list->count, sizeof(*list->at), compare_names);
    for (size_t i = 0; i < list->count; i++) {
        if (i == 0 || !str_equal(list->at[i], list->at[i - 1]))
            buf_printf(&out, " %.*s", STR_ARG(list->at[i]));
    }
    return arena_cstr(a, buf_str(&out));
}

/* Locks of the result that count, by what they say of a relation. */
struct measured_locks {
    names made; /* relations that the statement itself has made */
    names weak; /* indexes and sequences */
    struct effects strongest;
};

static enum lock_mode mode_of(struct str name)
{
    for (int m = LOCK_ACCESS_SHARE; m < LOCK_MODE_MAX; m++) {
        if (str_equal(name, str_of(lock_mode_name((enum lock_mode)m))))
            return (enum lock_mode)m;
    }
    fail_msg("no mode: %.*s", STR_ARG(name));
    return LOCK_NONE;
}

static struct measured_locks read_locks(struct arena *a, const struct json *list)
{
    struct measured_locks out = {0};
    names made = {0};
    names old = {0};
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *j = json_at(list, i);
        struct str name = base(text_of(j, "relation"));
        if (is_true(j, "new")) {
            vec_push(a, &made, name);
            continue;
        }
        vec_push(a, &old, name);
        struct str kind = text_of(j, "relkind");
        if (kind.len && strchr("iIS", kind.at[0]))
            vec_push(a, &out.weak, name);
        struct effect_lock lock = {.relation = name, .mode = mode_of(text_of(j, "mode"))};
        effects_add_lock(a, &out.strongest, &lock);
    }
    for (size_t i = 0; i < made.count; i++) {
        if (!has(&old, made.at[i]))
            vec_push(a, &out.made, made.at[i]);
    }
    return out;
}

static const char *locks_text(struct arena *a, const struct effects *e,
                              const struct measured_locks *m)
{
    struct effects strongest = {0};
    names list = {0};
    for (size_t i = 0; i < e->locks.count; i++) { /* by name, as the result has them */
        struct effect_lock lock = {.relation = base(e->locks.at[i].relation),
                                   .mode = e->locks.at[i].mode};
        effects_add_lock(a, &strongest, &lock);
    }
    for (size_t i = 0; i < strongest.locks.count; i++) {
        struct str name = strongest.locks.at[i].relation;
        enum lock_mode mode = strongest.locks.at[i].mode;
        bool is_toast = str_starts(name, STR("toast(")) || str_starts(name, STR("toast_index("));
        if (is_toast || has(&m->made, name) || (mode == LOCK_ACCESS_SHARE && has(&m->weak, name)))
            continue;
        struct str one = str_of(arena_printf(a, "%.*s:%s", STR_ARG(name), lock_mode_name(mode)));
        vec_push(a, &list, one);
    }
    return joined(a, &list);
}

static const char *objects_text(struct arena *a, const struct effect_object *at, size_t count)
{
    names list = {0};
    for (size_t i = 0; i < count; i++)
        vec_push(a, &list, base(at[i].relation));
    return joined(a, &list);
}

static const char *names_text(struct arena *a, const struct json *from)
{
    names list = {0};
    for (size_t i = 0; i < json_count(from); i++)
        vec_push(a, &list, base(json_str_of(json_at(from, i))));
    return joined(a, &list);
}

static unsigned shown_max(void)
{
    const char *text = getenv("SHOW");
    uint64_t number;
    return text && str_to_u64(str_of(text), &number) ? (unsigned)number : SHOWN_MAX;
}

struct score {
    unsigned hit[DIMENSIONS], of[DIMENSIONS];
    unsigned shown;
};

static void count(struct score *s, enum dimension d, const struct json *t, unsigned major,
                  const char *measured, const char *foretold)
{
    s->of[d]++;
    if (strcmp(measured, foretold) == 0) {
        s->hit[d]++;
    } else if (s->shown++ < shown_max()) {
        print_message("  %u %.*s %s: measured%s, foretold%s\n", major, STR_ARG(text_of(t, "id")),
                      dimension_names[d], measured, foretold);
    }
}

/* What a query reads in full its plan decides. */
static bool is_query(const struct json *t)
{
    struct str family = text_of(t, "family");
    return str_equal(family, STR("dml")) || str_equal(family, STR("merge")) ||
           str_equal(family, STR("copy"));
}

static void compare(struct score *score, const struct json *one, const struct json *t,
                    unsigned major)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct prediction p = predict(a, one, major * 10000);
    SCOPED(postgres_analysis) struct postgres_analysis *closed = p.p;
    const struct effects *e = &p.effects;
    if (json_is_array(json_get(t, "locks"))) {
        struct measured_locks m = read_locks(a, json_get(t, "locks"));
        count(score, LOCKS, t, major, locks_text(a, &m.strongest, &m), locks_text(a, e, &m));
    }
    count(score, REWRITES, t, major, names_text(a, json_get(t, "rewrites")),
          objects_text(a, e->rewrites.at, e->rewrites.count));
    if (!is_query(t))
        count(score, SCANS, t, major, names_text(a, json_get(t, "scans")),
              objects_text(a, e->scans.at, e->scans.count));
    count(score, BUILDS, t, major, names_text(a, json_get(t, "indexes_built")),
          objects_text(a, e->builds.at, e->builds.count));
    /* What the server took must not be said to fail. */
    count(score, ACCEPTED, t, major, "", e->failure ? arena_printf(a, " \"%s\"", e->failure) : "");
    bool is_ok;
    if (json_bool_of(json_get(t, "in_transaction_ok"), &is_ok))
        count(score, TRANSACTIONAL, t, major, is_ok ? " yes" : " no",
              p.is_transactional ? " yes" : " no");
}

static const struct json *case_of(const struct lines *cases, struct str id)
{
    for (size_t i = 0; i < cases->all.count; i++) {
        if (str_equal(text_of(cases->all.at[i], "id"), id))
            return cases->all.at[i];
    }
    return NULL;
}

static bool is_measured(const struct json *t)
{
    const struct json *skipped = json_get(t, "skipped");
    return !json_is_object(json_get(t, "error")) && !json_str_of(skipped).len;
}

/* Every result of one version; the score of each dimension is printed. false: one is below the floor. */
static bool is_foretold(const struct lines *cases, const char *results_path, unsigned major,
                        double floor)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct score score = {0};
    struct lines results = read_lines(a, results_path);
    for (size_t i = 0; i < results.all.count; i++) {
        const struct json *t = results.all.at[i];
        const struct json *one = case_of(cases, text_of(t, "id"));
        if (one && is_measured(t))
            compare(&score, one, t, major);
    }
    release_lines(&results);
    bool is_low = false;
    for (int d = 0; d < DIMENSIONS; d++) {
        print_message("  PostgreSQL %u %s: %u of %u\n", major, dimension_names[d], score.hit[d],
                      score.of[d]);
        is_low |= score.hit[d] * 10000.0 < (double)score.of[d] * floor || !score.of[d];
    }
    return !is_low;
}

static void what_is_foretold_is_what_servers_did(void **state)
{
    (void)state;
    if (!fs_exists(TRUTH "/cases/open.jsonl")) {
        print_message("there is no " TRUTH ": nothing is compared\n");
        skip();
    }
    SCOPED(arena) struct arena *a = arena_make();
    struct lines cases = read_lines(a, TRUTH "/cases/open.jsonl");
    bool is_low = false;
    for (unsigned major = 13; major <= 18; major++)
        is_low |= !is_foretold(&cases, arena_printf(a, TRUTH "/measured/open-%u.jsonl", major),
                               major, FLOOR);
    release_lines(&cases);
    assert_false(is_low);
}

/* Cases of our own, measured with the same tool, cut down to what is compared. */
static void what_is_kept_here_is_foretold(const char *set)
{
    static const unsigned majors[] = {13, 15, 18};
    SCOPED(arena) struct arena *a = arena_make();
    struct lines cases = read_lines(a, arena_printf(a, KEPT "/%s.jsonl", set));
    bool is_low = false;
    for (size_t i = 0; i < ARRAY_LEN(majors); i++) {
        const char *path = arena_printf(a, KEPT "/measured/%s-%u.jsonl", set, majors[i]);
        is_low |= !is_foretold(&cases, path, majors[i], 10000.0);
    }
    release_lines(&cases);
    assert_false(is_low);
}

static void alter_table_is_foretold(void **state)
{
    (void)state;
    what_is_kept_here_is_foretold("alter_table");
}

static void create_and_drop_are_foretold(void **state)
{
    (void)state;
    what_is_kept_here_is_foretold("create_drop");
}

static void the_rest_is_foretold(void **state)
{
    (void)state;
    what_is_kept_here_is_foretold("other");
}

static void combinations_are_foretold(void **state)
{
    (void)state;
    what_is_kept_here_is_foretold("woven");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_foretold_is_what_servers_did),
        cmocka_unit_test(alter_table_is_foretold),
        cmocka_unit_test(create_and_drop_are_foretold),
        cmocka_unit_test(the_rest_is_foretold),
        cmocka_unit_test(combinations_are_foretold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
