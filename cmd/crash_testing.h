/*
 * Commands that are killed at a chosen moment, and the cases of testdata that they are tried with. Included
 * once, by the test program itself.
 */
#ifndef CMD_CRASH_TESTING_H
#define CMD_CRASH_TESTING_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/state_testing.h"
#include "core/base/clock.h"
#include "core/base/fs.h"
#include "drivers/testkit/proxy.h"

static struct pg_cluster *crash_cluster;
static struct arena *crash_arena;

/* ---- cases ---- */

/* A case of testdata/crash, testdata/rewrites or testdata/sync. Its migration ends in a rename that waits for
   its contract, so that each has something to contract, and a way back. */
struct crash_case {
    const char *name, *schema, *migration;
    const char *as_written; /* SQL, where the migration would fail as it is written; or NULL */
    const char *steps;      /* the file, or "": its recipes are the lines that are not indented */
};
struct crash_cases {
    struct crash_case *at;
    size_t count, room;
};

static inline struct crash_case crash_case_of(const char *directory, const char *name)
{
    const char *path = fixture_text("%s/%s", directory, name);
    const char *said = fixture_text("%s/as-written.sql", path);
    static const char anchor[] = "ALTER TABLE anchor RENAME TO anchored;\n";
    struct crash_case c = {
        .name = name,
        .schema = fixture_text("CREATE TABLE anchor (id int); INSERT INTO anchor VALUES (1);\n%s",
                               fixture_text_of(fixture_text("%s/schema.sql", path))),
        .migration =
            fixture_text("%s%s", fixture_text_of(fixture_text("%s/migration.sql", path)), anchor),
        .steps = "",
    };
    const char *steps = fixture_text("%s/steps", path);

    if (access(steps, F_OK) == 0)
        c.steps = fixture_text_of(steps);
    if (access(said, F_OK) == 0)
        c.as_written = fixture_text("%s;\n%s", fixture_text_of(said), anchor);
    return c;
}

static inline void crash_add_cases(struct crash_cases *out, const char *directory)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries names = {0};

    assert_true(fs_list(crash_arena, directory, &names, &f));
    for (size_t i = 0; i < names.count; i++) {
        struct crash_case c = crash_case_of(directory, arena_cstr(crash_arena, names.at[i].name));
        if (c.steps[0])
            vec_push(crash_arena, out, c);
    }
}

/* Whether one of its recipes is not among those that are known (" create-index drop-index "), and becomes one
   of them. */
static inline bool crash_is_new(const struct crash_case *c, struct buf *known)
{
    struct str line;
    bool is_new = false;

    for (struct str rest = str_of(c->steps); rest.len;) {
        rest = str_cut_line(rest, &line);
        const char *text = fixture_text("%.*s", STR_ARG(line));
        if (!line.len || line.at[0] == ' ' ||
            text[strspn(text, "0123456789. abcdefghijklmnopqrstuvwxyz-")])
            continue; /* of a step: its text may have several lines */
        const char *space = memchr(line.at, ' ', line.len);
        struct str recipe = space ? str_skip(line, (size_t)(space + 1 - line.at)) : line;
        const char *word = fixture_text(" %.*s ", STR_ARG(recipe));
        if (strstr(buf_cstr(known), word))
            continue;
        buf_add_cstr(known, word);
        is_new = true;
    }
    return is_new;
}

/* All cases of testdata/rewrites and testdata/sync; or those with recipes that are not known. */
static inline struct crash_cases crash_cases_read(struct buf *known)
{
    struct crash_cases all = {0}, some = {0};
    const char *only = getenv("CASE");

    crash_add_cases(&all, "testdata/rewrites");
    crash_add_cases(&all, "testdata/sync");
    for (size_t i = 0; i < all.count; i++) {
        bool is_wanted =
            only ? strcmp(only, all.at[i].name) == 0 : !known || crash_is_new(&all.at[i], known);
        if (is_wanted)
            vec_push(crash_arena, &some, all.at[i]);
    }
    return some;
}

static inline struct project *crash_project(const struct crash_case *c)
{
    struct project *p = project_make(crash_cluster);

    project_execute(p, c->schema);
    project_write(p, "0001_case.sql", c->migration);
    /* Sessions whose client is gone hold their locks until the server has noticed. */
    fixture_write(p->home, "migrator.yml", "locks: { attempts: 1000, budget: 60s }\n");
    return p;
}

/* ---- killing ---- */

enum crash_kind {
    CRASH_PROGRAM = 0, /* SIGKILL of migrate */
    CRASH_BACKENDS,    /* its sessions are ended by the server's administrator */
    CRASH_SERVER,      /* the server stops at once and starts again */
};
static const char *const crash_names[] = {"SIGKILL", "backends ended", "server restarted"};

static inline struct program *crash_start(const struct project *p, const char *command)
{
    if (strcmp(command, "contract") == 0)
        return project_start(p, command, "--now", "--reason", "a test", NULL);
    if (strcmp(command, "rollback") == 0)
        return project_start(p, command, "0001", "--lossy", "--reason", "a test", NULL);
    return project_start(p, command, NULL);
}

static inline void crash_do(const struct project *p, enum crash_kind kind,
                            const struct program *program)
{
    switch (kind) {
    case CRASH_PROGRAM:
        program_signal(program, SIGKILL);
        break;
    case CRASH_BACKENDS:
        pg_cluster_execute(crash_cluster, "postgres",
                           fixture_text("SELECT pg_terminate_backend(pid, 60000) FROM "
                                        "pg_stat_activity WHERE datname = '%s'",
                                        p->database));
        break;
    case CRASH_SERVER:
        pg_cluster_restart(crash_cluster, true);
        break;
    }
}

#define CRASH_PATIENCE_S 240

/* Until the message is held, or the program has come to its end. */
static inline void crash_wait(const struct proxy *proxy, const struct program *program,
                              const char *command)
{
    int64_t end_us = clock_monotonic_us() + CRASH_PATIENCE_S * INT64_C(1000000);

    while (!proxy_held(proxy) && fixture_is_running(program_pid(program))) {
        if (clock_monotonic_us() > end_us)
            fail_msg("%s: neither held nor done after %d s", command, CRASH_PATIENCE_S);
        (void)usleep(500);
    }
}

/* Runs the command until the nth message that contains the text, and kills there what is to be killed. The
   exit code where it came to its end before, else -1. */
static inline int crash_run(struct project *p, const char *command, enum crash_kind kind,
                            enum proxy_cut moment, const char *text, unsigned nth)
{
    struct proxy *proxy = proxy_start(crash_cluster);
    const char *direct = p->url;

    p->url = proxy_url(proxy, p->database, NULL);
    proxy_cut_at_nth_text(proxy, moment, text, nth);
    struct program *program = crash_start(p, command);
    crash_wait(proxy, program, command);
    bool is_held = proxy_held(proxy) > 0;
    if (is_held) {
        crash_do(p, kind, program);
        proxy_release(proxy, kind != CRASH_PROGRAM);
    }
    struct ran r = project_finish(program);
    proxy_stop(proxy);
    p->url = direct;
    if (r.signal_number && r.signal_number != (kind == CRASH_PROGRAM ? SIGKILL : 0))
        fail_msg("%s: signal %d\n%s", command, r.signal_number, r.err);
    if (is_held && r.exit_code != 0)
        return -1;
    if (r.exit_code != 0 && r.exit_code != 3)
        fail_msg("%s: exit %d\n%s%s", command, r.exit_code, r.out, r.err);
    return r.exit_code;
}

#endif
