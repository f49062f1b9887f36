/* The cases of testdata/rewrites, for tests that run them. Included once, by the test program itself. */
#ifndef CMD_REWRITES_TESTING_H
#define CMD_REWRITES_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/testkit/project.h"

#define CASES "testdata/rewrites"

static struct pg_cluster *cluster;
static struct arena *arena;

static inline int start(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    arena = arena_make();
    return 0;
}

static inline int end(void **state UNUSED)
{
    arena_release(arena);
    return 0;
}

static inline const char *text_of(const char *name, const char *file)
{
    return fixture_text_of(fixture_text(CASES "/%s/%s", name, file));
}

/* A database made by schema, and one migration. */
static inline struct project *make(const char *schema, const char *migration)
{
    struct project *p = project_make(cluster);
    project_execute(p, schema);
    project_write(p, "0001_case.sql", migration);
    return p;
}

static inline struct project *make_case(const char *name)
{
    return make(text_of(name, "schema.sql"), text_of(name, "migration.sql"));
}

static inline int compare_lines(const void *a, const void *b)
{
    const struct str *left = a, *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->at, right->at, len);
    return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* project_dump() with the rows of each table in one order: where they lie is not what they are. */
static inline const char *sorted_dump(const struct project *p)
{
    VEC_OF(struct str) lines = {0};
    struct str rest = str_of(project_dump(p));
    size_t rows = SIZE_MAX;
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        if (rows != SIZE_MAX && str_equal(line, STR("\\."))) {
            qsort(lines.at + rows, lines.count - rows, sizeof(*lines.at), compare_lines);
            rows = SIZE_MAX;
        }
        vec_push(arena, &lines, line);
        if (str_starts(line, STR("COPY ")))
            rows = lines.count;
    }
    SCOPED(buf) struct buf text = {0};
    for (size_t i = 0; i < lines.count; i++)
        buf_printf(&text, "%.*s\n", STR_ARG(lines.at[i]));
    return arena_cstr(arena, buf_str(&text));
}

/* Indexes and constraints that nobody finished. */
static inline void assert_no_leftovers(const struct project *p)
{
    assert_answer(p,
                  "SELECT (SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready) + "
                  "(SELECT count(*) FROM pg_constraint WHERE NOT convalidated)",
                  "0");
}

static inline const char *end_as_written(const char *name)
{
    struct project *p = make_case(name);
    struct ran r = project_run(p, "apply", "--rewrite", "off", NULL);
    assert_exit(&r, 0);
    return sorted_dump(p);
}

static inline void for_each_case(void (*check)(const char *name))
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries names = {0};
    assert_true(fs_list(arena, CASES, &names, &f));
    assert_true(names.count > 10);
    const char *only = getenv("CASE");
    for (size_t i = 0; i < names.count; i++) {
        const char *name = arena_cstr(arena, names.at[i].name);
        if (only && strcmp(only, name) != 0)
            continue;
        print_message("%s\n", name);
        check(name);
    }
}

#endif
