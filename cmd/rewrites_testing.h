/* The cases of testdata/rewrites, for tests that run them. Included once, by the test program itself. */
#ifndef CMD_REWRITES_TESTING_H
#define CMD_REWRITES_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/fs.h"
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

static inline void for_each_case(void (*check)(const char *name))
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries names = {0};
    assert_true(fs_list(arena, CASES, &names, &f));
    assert_true(names.count > 10);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = arena_cstr(arena, names.at[i].name);
        print_message("%s\n", name);
        check(name);
    }
}

#endif
