/*
 * One test's project: a directory of migrations, a database of its own on one engine, and the built
 * program run over both, as a user would. The program is $MIGRATE_PROGRAM, else build/debug/migrate.
 *
 * Texts that come back live as long as the test program. Assertions print the command with its whole
 * output when they fail.
 */
#ifndef DRIVERS_TESTKIT_PROJECT_H
#define DRIVERS_TESTKIT_PROJECT_H

#include <stdio.h>

#include "core/model/engine.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

struct project {
    enum engine engine;
    struct pg_cluster *cluster; /* NULL on SQLite */
    const char *home;           /* the working directory; migrations are in home/migrations */
    const char *database;       /* PostgreSQL: name; SQLite: path of the file */
    const char *url;            /* may be replaced, for another way in */
    const char *const *env;     /* added to the environment; "NAME=value" or "NAME", or NULL */
    const char *dir;            /* --dir; "migrations" */
};

/* What became of one call. */
struct ran {
    const char *command; /* for messages */
    int exit_code;       /* -1 when a signal ended it */
    int signal_number;
    bool is_timed_out;
    const char *out, *err;
    int64_t duration_us;
    int64_t max_rss_bytes;
};

/* The path of the program that is tested. */
const char *project_program(void);

/* Makes an empty directory and an empty database. cluster NULL: SQLite. */
struct project *project_make(struct pg_cluster *cluster);
/* For tests that run once per engine: the state of a test from ON_BOTH() says which. */
extern char project_on_sqlite;
struct project *project_for(void **state, struct pg_cluster *cluster);
#define ON_BOTH(test)                                                                              \
    {#test " (postgres)", test, NULL, NULL, NULL},                                                 \
    {                                                                                              \
#test " (sqlite)", test, NULL, NULL, &project_on_sqlite                                    \
    }
/* Writes home/migrations/name. */
void project_write(const struct project *p, const char *name, const char *text);
void project_remove(const struct project *p, const char *name);

/* Runs `migrate command --url … --dir … arguments`; the arguments end with NULL. */
struct ran project_run(const struct project *p, const char *command, ...) __attribute__((sentinel));
/* Without --url and --dir: the arguments are all. */
struct ran project_call(const struct project *p, const char *first, ...) __attribute__((sentinel));
/* The same as project_run(), side by side with the test. */
struct program *project_start(const struct project *p, const char *command, ...)
    __attribute__((sentinel));
struct ran project_finish(struct program *program);

/* Asks the database itself, past the program: columns separated by '|', rows by newlines. An error
   gives "ERROR: …". */
const char *project_query(const struct project *p, const char *sql);
/* The same; an error ends the test program. */
void project_execute(const struct project *p, const char *sql);
/* Everything in the database, schema and data, but what is migrate's own. */
const char *project_dump(const struct project *p);
/* The same without data: what a run that was killed and repeated must equal, since sequences keep the
   numbers that a transaction took before it was rolled back. */
const char *project_schema(const struct project *p);
/* The name of one of our tables: "history" → migrator.history or migrator_history. */
const char *project_table(const struct project *p, const char *name);

/* A table "speed", made outside of the migrations, and a statement that takes long until it is told
   otherwise: seconds is about how long. */
void project_make_slow(const struct project *p, double seconds);
const char *project_slow_sql(const struct project *p);
/* Waits until the program is inside the slow statement; or, on PostgreSQL, inside one that contains the
   text, and sleeps there or waits for a lock. */
void project_wait_until_slow(const struct project *p, const struct program *program,
                             const char *text);
/* The same, and stops it in its tracks (SIGSTOP): it holds what it holds until program_signal(…, SIGCONT). */
void project_hold_when_slow(const struct project *p, const struct program *program);

/* A session of somebody else that stays in a transaction behind some SQL. PostgreSQL only. */
struct blocker;
struct blocker *blocker_start(const struct project *p, const char *sql);
void blocker_stop(struct blocker *b);

/* The file of a large migration, written line by line. */
FILE *project_open(const struct project *p, const char *name);

/* Assertions; r is printed when they fail. */
void assert_exit_at(const struct ran *r, int exit_code, const char *file, int line);
void assert_text_at(const struct ran *r, const char *which, const char *text, const char *wanted,
                    bool is_there, const char *file, int line);
void assert_answer_at(const struct project *p, const char *sql, const char *expected,
                      const char *file, int line);
void assert_same_at(const char *left, const char *right, const char *file, int line);
#define assert_exit(r, code) assert_exit_at((r), (code), __FILE__, __LINE__)
#define assert_out(r, text)                                                                        \
    assert_text_at((r), "stdout", (r)->out, (text), true, __FILE__, __LINE__)
#define assert_err(r, text)                                                                        \
    assert_text_at((r), "stderr", (r)->err, (text), true, __FILE__, __LINE__)
#define assert_not_out(r, text)                                                                    \
    assert_text_at((r), "stdout", (r)->out, (text), false, __FILE__, __LINE__)
#define assert_not_err(r, text)                                                                    \
    assert_text_at((r), "stderr", (r)->err, (text), false, __FILE__, __LINE__)
/* The answer to a question equals the text. */
#define assert_answer(p, sql, expected) assert_answer_at((p), (sql), (expected), __FILE__, __LINE__)
/* Two long texts are equal; else their first difference is shown. */
#define assert_same(left, right) assert_same_at((left), (right), __FILE__, __LINE__)
/* `history --verify` finds nothing. */
#define assert_whole(p)                                                                            \
    do {                                                                                           \
        struct ran whole = project_run((p), "history", "--verify", NULL);                          \
        assert_exit(&whole, 0);                                                                    \
        assert_out(&whole, "whole");                                                               \
    } while (0)

#endif
