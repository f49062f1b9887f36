/*
 * Repositories made by the git program as people make them, and `migrate plan` called in them.
 */
#ifndef CMD_BRANCH_TESTING_H
#define CMD_BRANCH_TESTING_H

#include <setjmp.h> /* cmocka.h wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/str.h"
#include "drivers/testkit/project.h"

#include <string.h>

static inline const char *git_in(const char *directory, const char *arguments)
{
    const char *const argv[] = {"sh", "-c", fixture_text("git %s", arguments), NULL};
    const char *const env[] = {"GIT_CONFIG_GLOBAL=/dev/null",
                               "GIT_CONFIG_SYSTEM=/dev/null",
                               "GIT_AUTHOR_EMAIL=x@example.org",
                               "GIT_COMMITTER_NAME=c",
                               "GIT_COMMITTER_EMAIL=c@example.org",
                               "GIT_AUTHOR_DATE=2026-01-02T03:04:05Z",
                               "GIT_COMMITTER_DATE=2026-01-02T03:04:05Z",
                               "GIT_DIR",
                               "GIT_WORK_TREE",
                               NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .env = env, .directory = directory});
    if (r.exit_code != 0)
        fail_msg("git %s: %s%s", arguments, r.out, r.err);
    const char *out = fixture_text("%s", r.out);
    program_result_release(&r);
    return out;
}

static inline void commit(const char *repository, const char *author)
{
    git_in(repository, "add -A");
    git_in(repository, fixture_text("-c user.name=%s -c user.email=x@example.org commit -q "
                                    "--author='%s <x@example.org>' -m 'by %s'",
                                    author, author, author));
}

struct said {
    int exit_code;
    const char *out, *err;
};

/* arguments: words, parted by single spaces. */
static inline struct said migrate_in(const char *directory, const char *arguments)
{
    const char *script = fixture_text("exec '%s' %s", project_program(), arguments);
    const char *const argv[] = {"sh", "-c", script, NULL};
    const char *const env[] = {"DATABASE_URL", "MIGRATE_URL", "NO_COLOR=1", "GIT_DIR", NULL};
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .env = env, .directory = directory});
    struct said said = {r.exit_code, fixture_text("%s", r.out), fixture_text("%s", r.err)};
    program_result_release(&r);
    return said;
}

static inline void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static inline void assert_silent_on(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static inline void assert_ended(const struct said *s, int code)
{
    if (s->exit_code != code)
        fail_msg("it ended with %d, not %d:\n%s%s", s->exit_code, code, s->out, s->err);
}

static inline struct said plan_in(const char *directory, const char *arguments)
{
    return migrate_in(directory, fixture_text("plan %s", arguments));
}

/* main with two migrations, and a branch "feature" that begins there and is checked out. */
static inline const char *make_repository(void)
{
    const char *r = fixture_directory();
    git_in(r, "init -q -b main");
    fixture_write(r, "db/m/0001_users.sql", "CREATE TABLE users (id int PRIMARY KEY, age int);\n");
    fixture_write(r, "db/m/0002_index.sql", "CREATE INDEX users_age ON users (age);\n");
    commit(r, "Ann");
    git_in(r, "checkout -q -b feature");
    return r;
}

#define PLAN "--base main --dir db/m --engine postgres "

#endif
