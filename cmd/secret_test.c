/*
 * Passwords, end to end: wherever one comes from, it is in no output, no history, and no
 * /proc/<pid>/cmdline. And what is said when a server cannot be had.
 */
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "drivers/testkit/project.h"

#define PASSWORD "Gr8Secret0fOurs"
#define ROLE_PASSWORD "An0therSecret"

static struct pg_cluster *cluster;

static int start_cluster(void **state UNUSED)
{
    cluster = pg_cluster_start(&(struct pg_cluster_options){.is_tcp = true, .password = PASSWORD});
    return 0;
}

static struct project *make(void)
{
    struct project *p = project_make(cluster);

    p->url = pg_cluster_tcp_url(cluster, p->database, NULL);
    return p;
}

/* ------------------------------------------------------------------------------- where it may not be */

static void assert_absent(const char *text, const char *what)
{
    static const char *const secrets[] = {PASSWORD, ROLE_PASSWORD};

    for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
        const char *found = strstr(text, secrets[i]);
        if (!found)
            continue;
        const char *from = found - text > 200 ? found - 200 : text;
        print_error("a password is in %s: …%.300s\n", what, from);
        fail();
    }
}

static void assert_quiet(const struct ran *r)
{
    assert_absent(r->out, "the output");
    assert_absent(r->err, "the commentary");
}

static void assert_not_in_history(const struct project *p)
{
    assert_absent(project_query(p, "SELECT h::text FROM migrator.history h"), "migrator.history");
    assert_absent(project_query(p, "SELECT e::text FROM migrator.event e"), "migrator.event");
    assert_absent(project_query(p, "SELECT application_name FROM pg_stat_activity"),
                  "pg_stat_activity");
}

/* Every process that the tester may look at, but this one and the servers it started with a password. */
static void assert_not_in_proc(pid_t program)
{
    DIR *proc = opendir("/proc");
    bool is_seen = false;

    assert_non_null(proc);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char line[65536];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        FILE *file = fopen(fixture_text("/proc/%s/cmdline", entry->d_name), "rbe");
        size_t len = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
        if (file)
            (void)fclose(file);
        for (size_t i = 0; i < len; i++)
            line[i] = line[i] ? line[i] : ' ';
        line[len] = '\0';
        is_seen = is_seen || (strtol(entry->d_name, NULL, 10) == program && len > 0);
        assert_absent(line, fixture_text("/proc/%s/cmdline", entry->d_name));
    }
    (void)closedir(proc);
    assert_true(is_seen);
}

/* ---------------------------------------------------------------------------------- ways to give it */

static void write_config(const struct project *p, const char *url)
{
    fixture_write(p->home, "migrator.yml",
                  fixture_text("migrations: migrations\ntargets:\n  db:\n    url: \"%s\"\n", url));
}

/* Sets it up; returns what --url is, or NULL. */
static const char *give(struct project *p, int way)
{
    static const char *const in_environment[] = {"DB_PASSWORD=" PASSWORD, NULL};
    static const char *const in_libpq[] = {"PGPASSWORD=" PASSWORD, NULL};
    int port = pg_cluster_tcp_port(cluster);
    const char *place = fixture_text("127.0.0.1:%d/%s", port, p->database);

    switch (way) {
    case 0:
        return fixture_text("postgres://postgres:" PASSWORD "@%s", place);
    case 1:
        return fixture_text("host=127.0.0.1 port=%d user=postgres password='" PASSWORD
                            "' dbname=%s",
                            port, p->database);
    case 2:
        return fixture_text("postgresql://%s?user=postgres&password=" PASSWORD, place);
    case 3:
        return fixture_text("jdbc:postgresql://%s?user=postgres&password=" PASSWORD, place);
    case 4:
        return fixture_text("postgresql+psycopg://postgres:" PASSWORD "@%s", place);
    case 5:
        p->env = in_environment;
        write_config(p, fixture_text("postgres://postgres:${DB_PASSWORD}@%s", place));
        return NULL;
    case 6:
        fixture_write(p->home, "password.txt", PASSWORD "\n");
        write_config(
            p, fixture_text("postgres://postgres:${file:%s/password.txt}@%s", p->home, place));
        return NULL;
    case 7:
        write_config(p, fixture_text("postgres://postgres:" PASSWORD "@%s", place));
        return NULL;
    default:
        p->env = in_libpq;
        return fixture_text("postgres://postgres@%s", place);
    }
}
#define WAYS 9

static void a_password_is_nowhere(void **state UNUSED)
{
    for (int way = 0; way < WAYS; way++) {
        struct project *p = project_make(cluster);
        p->url = give(p, way);
        print_message("way %d: %s\n", way, p->url ? p->url : "migrator.yml");
        project_make_slow(p, 1.0);
        project_write(p, "0001_slow.sql", project_slow_sql(p));
        struct program *program = project_start(p, "apply", "-v", "-v", NULL);
        project_hold_when_slow(p, program);
        assert_not_in_proc(program_pid(program));
        program_signal(program, SIGCONT);
        struct ran r = project_finish(program);
        assert_exit(&r, 0);
        assert_quiet(&r);
        static const char *const calls[][3] = {
            {"status", "-v", "-v"},
            {"plan", "-v", "-v"},
            {"history", "--events", "--show-sql"},
            {"history", "--verify", "-v"},
            {"history", "--format", "json"},
            {"status", "--format", "json"},
        };
        for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
            r = project_run(p, calls[i][0], calls[i][1], calls[i][2], NULL);
            assert_exit(&r, 0);
            assert_quiet(&r);
        }
        assert_not_in_history(p);
    }
}

/* ----------------------------------------------------------------------- secrets in migrations */

struct secret_sql {
    const char *name;
    const char *sql;
    int exit_code;
};

static const struct secret_sql secret_sqls[] = {
    {"create role", "CREATE ROLE %s LOGIN PASSWORD '" ROLE_PASSWORD "';\n", 0},
    {"create user", "CREATE USER %s WITH ENCRYPTED PASSWORD '" ROLE_PASSWORD "' NOINHERIT;\n", 0},
    {"alter role", "CREATE ROLE %s; ALTER ROLE %s PASSWORD '" ROLE_PASSWORD "';\n", 0},
    {"do block", "DO $$ BEGIN EXECUTE 'CREATE ROLE %s PASSWORD ''" ROLE_PASSWORD "'''; END $$;\n",
     0},
    {"user mapping",
     "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;\n"
     "CREATE USER MAPPING FOR postgres SERVER s OPTIONS (user 'u', password '" ROLE_PASSWORD
     "');\n",
     0},
    {"subscription",
     "CREATE SUBSCRIPTION %s CONNECTION 'host=nowhere dbname=x password=" ROLE_PASSWORD "' "
     "PUBLICATION p WITH (connect = false, slot_name = NONE, enabled = false);\n",
     0},
    {"role that is there", "CREATE ROLE postgres PASSWORD '" ROLE_PASSWORD "'; -- %s\n", 1},
    {"mistyped password", "CREATE ROLE %s PASSSWORD '" ROLE_PASSWORD "';\n", 1},
    {"swapped letters", "ALTER USER %s WITH PASWSORD '" ROLE_PASSWORD "';\n", 1},
    {"mistyped role", "CREATE ROEL %s PASSWROD '" ROLE_PASSWORD "';\n", 1},
    {"of another database", "CREATE USER %s IDENTIFIED BY '" ROLE_PASSWORD "';\n", 1},
    {"as an option", "ALTER SUBSCRIPTION %s SET (pasword = '" ROLE_PASSWORD "') x;\n", 1},
    {"open quote", "CREATE ROLE %s PASSSWORD '" ROLE_PASSWORD ";\n", 1},
    {"syntax error", "CREATE ROLE %s PASSWORD '" ROLE_PASSWORD "' NOSUCHOPTION;\n", 1},
};

static const char *with_name(const char *sql, const char *name)
{
    SCOPED(buf) struct buf text = {0};

    for (; *sql; sql++) {
        if (strncmp(sql, "%s", 2) == 0) {
            buf_add_cstr(&text, name);
            sql++;
        } else {
            buf_add_char(&text, *sql);
        }
    }
    return fixture_text("%s", buf_cstr(&text));
}

static void a_password_in_a_migration_is_not_repeated(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_sqls); i++) {
        struct project *p = make();
        print_message("%s\n", secret_sqls[i].name);
        project_write(p, "0001_secret.sql",
                      with_name(secret_sqls[i].sql, fixture_text("secret_%zu", i)));
        struct ran r = project_run(p, "plan", "-v", "-v", NULL);
        assert_quiet(&r);
        r = project_run(p, "plan", "--format", "json", NULL);
        assert_quiet(&r);
        r = project_run(p, "apply", "-v", "-v", NULL);
        assert_exit(&r, secret_sqls[i].exit_code);
        assert_quiet(&r);
        r = project_run(p, "history", "--events", "--show-sql", "-v", "-v", NULL);
        assert_exit(&r, 0);
        assert_quiet(&r);
        r = project_run(p, "history", "--events", "--show-sql", "--format", "json", NULL);
        assert_quiet(&r);
        assert_not_in_history(p);
    }
}

static void a_role_with_a_password_can_be_used(void **state UNUSED)
{
    struct project *p = make();

    project_write(p, "0001_role.sql", "CREATE ROLE reporter LOGIN PASSWORD '" ROLE_PASSWORD "';\n");
    struct ran r = project_run(p, "apply", NULL);
    assert_exit(&r, 0);
    p->url = fixture_text("postgres://reporter:" ROLE_PASSWORD "@127.0.0.1:%d/%s",
                          pg_cluster_tcp_port(cluster), p->database);
    r = project_run(p, "history", NULL);
    assert_true(r.exit_code != 6);
    assert_not_err(&r, "cannot connect");
    assert_quiet(&r);
}

/* -------------------------------------------------------------------------- servers out of reach */

struct unreachable {
    const char *name;
    const char *url; /* %d: the port, %s: the database */
    int exit_code;
    const char *message;
};

static void what_cannot_be_reached_is_said_without_the_password(void **state UNUSED)
{
    struct project *p = make();
    int port = pg_cluster_tcp_port(cluster);
    const struct unreachable cases[] = {
        {"wrong password",
         fixture_text("postgres://postgres:%sX@127.0.0.1:%d/%s", PASSWORD, port, p->database), 2,
         "password authentication failed"},
        {"no password", fixture_text("postgres://postgres@127.0.0.1:%d/%s", port, p->database), 2,
         "no password supplied"},
        {"no such role",
         fixture_text("postgres://nobody_here:%s@127.0.0.1:%d/%s", PASSWORD, port, p->database), 2,
         "nobody_here"},
        {"no such database",
         fixture_text("postgres://postgres:%s@127.0.0.1:%d/nothing_here", PASSWORD, port), 2,
         "nothing_here"},
        {"refused",
         fixture_text("postgres://postgres:%s@127.0.0.1:%d/x", PASSWORD, fixture_free_port()), 6,
         "refused"},
        {"no such socket", "host=/nowhere user=postgres dbname=x password=" PASSWORD, 6,
         "/nowhere"},
        {"no such host", "postgres://postgres:" PASSWORD "@no-such-host.invalid/x", 6,
         "no-such-host.invalid"},
        {"unescaped @",
         fixture_text("postgres://postgres:%s@x@127.0.0.1:%d/%s", PASSWORD, port, p->database), 2,
         ""},
        {"unescaped /",
         fixture_text("postgres://postgres:%s/x@127.0.0.1:%d/%s", PASSWORD, port, p->database), 2,
         ""},
        {"broken %",
         fixture_text("postgres://postgres:%s%%zz@127.0.0.1:%d/%s", PASSWORD, port, p->database), 2,
         ""},
        {"open quote", "host=127.0.0.1 password='" PASSWORD, 2, ""},
        {"unknown scheme", "mysql://root:" PASSWORD "@127.0.0.1/x", 2, ""},
    };

    project_write(p, "0001_a.sql", "CREATE TABLE a (id integer);\n");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].name);
        p->url = cases[i].url;
        struct ran r = project_run(p, "apply", "-v", "-v", NULL);
        assert_exit(&r, cases[i].exit_code);
        assert_err(&r, "error: ");
        assert_err(&r, cases[i].message);
        assert_err(&r, "hint: ");
        assert_quiet(&r);
        assert_string_equal(r.out, "");
        r = project_run(p, "status", NULL);
        assert_exit(&r, cases[i].exit_code);
        assert_quiet(&r);
    }
}

/* A URL where none belongs: whatever quotes the argument must not quote its password. */
static void a_misplaced_url_is_quoted_without_its_password(void **state UNUSED)
{
    static const char url[] = "postgres://u:" PASSWORD "@127.0.0.1:1/x";
    static const char *const calls[][4] = {
        {"plan", url, NULL},         {url, NULL},
        {"help", url, NULL},         {"status", "-t", url, NULL},
        {"status", "-c", url, NULL}, {"status", "--dir", url, NULL},
        {"init", url, NULL},         {"apply", "--to", url, NULL},
    };
    struct project *p = make();

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct ran r = project_run(p, calls[i][0], calls[i][1], calls[i][2], NULL);
        assert_true(r.exit_code != 0);
        assert_quiet(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_nowhere),
        cmocka_unit_test(a_password_in_a_migration_is_not_repeated),
        cmocka_unit_test(a_role_with_a_password_can_be_used),
        cmocka_unit_test(a_misplaced_url_is_quoted_without_its_password),
        cmocka_unit_test(what_cannot_be_reached_is_said_without_the_password),
    };

    return cmocka_run_group_tests_name("secret", tests, start_cluster, NULL);
}
