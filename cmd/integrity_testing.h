/* What tests of a tampered history share: a project with three migrations applied, and what somebody may do
   behind migrate's back. */
#ifndef CMD_INTEGRITY_TESTING_H
#define CMD_INTEGRITY_TESTING_H

#include "core/base/buf.h"
#include "drivers/testkit/project.h"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(NULL);
    return 0;
}

static const char file_2[] = "-- the second\nCREATE TABLE b (id integer);\n"
                             "INSERT INTO b VALUES (1);\n";

/* Three migrations that are applied. */
static struct project *make(void **state)
{
    struct project *p = project_for(state, cluster);

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    project_write(p, "0002_b.sql", file_2);
    project_write(p, "0003_c.sql", "CREATE TABLE c (id integer);\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    return p;
}

struct tampering {
    const char *name;
    const char *sql; /* %s: table; with a trailing blank none */
    const char *table;
    const char *sentence; /* %lld: the number of the last event */
};

/* Events of three applied migrations: run started, applied × 3, run finished. */
/* A server may protect its events by triggers; whoever tampers is the superuser. */
static void tamper(const struct project *p, const struct tampering *t)
{
    const char *sql = fixture_text("%s", t->sql);
    SCOPED(buf) struct buf text = {0};

    if (p->engine == ENGINE_POSTGRES)
        buf_add_cstr(&text, "SET session_replication_role = replica; ");
    for (const char *at = sql; *at; at++) {
        if (strncmp(at, "%s", 2) == 0) {
            buf_add_cstr(&text, project_table(p, t->table));
            at++;
        } else if (p->engine == ENGINE_SQLITE && strncmp(at, "migrator.", 9) == 0) {
            buf_add_cstr(&text, "migrator_");
            at += 8;
        } else {
            buf_add_char(&text, *at);
        }
    }
    project_execute(p, buf_cstr(&text));
}

static void delete_row(const struct project *p, const char *version)
{
    project_execute(p, fixture_text("DELETE FROM %s WHERE version = '%s'",
                                    project_table(p, "history"), version));
}

#endif
