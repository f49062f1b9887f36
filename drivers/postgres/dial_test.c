/* Why a connection is refused, on a server that does not speak English, and what can be tried again. */
#include "drivers/postgres/driver.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/testkit/driver_kit.h"
#include "drivers/testkit/fixture.h"
#include "drivers/testkit/pg_cluster.h"

static struct pg_cluster *cluster;
static const struct driver *driver;

static int start(void **state UNUSED)
{
    /* glibc looks at LANGUAGE for every locale but C. */
    (void)setenv("LANGUAGE", "de", 1);
    cluster = pg_cluster_start(&(struct pg_cluster_options){
        .is_tcp = true,
        .settings = /* more than those that are refused in a row and still ending */
        "lc_messages = 'C.UTF-8'\nmax_connections = 40\n"
        "superuser_reserved_connections = 1\n",
    });
    (void)unsetenv("LANGUAGE");
    driver = postgres_driver();
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE app LOGIN CONNECTION LIMIT 0");
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE nologin");
    pg_cluster_execute(cluster, "postgres", "CREATE ROLE other LOGIN");
    pg_cluster_execute(cluster, "postgres", "CREATE DATABASE closed ALLOW_CONNECTIONS false");
    pg_cluster_execute(cluster, "postgres", "CREATE DATABASE crowded CONNECTION LIMIT 0");
    pg_cluster_execute(cluster, "postgres", "CREATE DATABASE mine");
    pg_cluster_execute(cluster, "postgres", "REVOKE CONNECT ON DATABASE mine FROM PUBLIC");
    return 0;
}

static void refuse(const char *url, enum exit_code code, const char *sqlstate)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct connect_options options = {.url = str_of(url), .connect_timeout_ms = 2000};

    assert_null(driver->open(a, &options, &f));
    if (f.code != code || strcmp(f.sqlstate, sqlstate) != 0)
        fail_msg("%s: exit %d, SQLSTATE \"%s\": %s", url, f.code, f.sqlstate, f.message);
    assert_int_equal(f.kind, FAIL_CONNECTION);
    assert_non_null(f.hint);
    /* Where in the server's source it was raised is nobody's business. */
    assert_null(strstr(f.message, ".c:"));
    assert_true(!f.detail || !strstr(f.detail, ".c:"));
    assert_true(!*sqlstate || !strstr(f.message, sqlstate));
}

static void the_servers_sqlstate_decides_in_any_language(void **state UNUSED)
{
    static const struct {
        const char *database, *role;
        enum exit_code code;
        const char *sqlstate;
    } cases[] = {
        {"postgres", "app", EXIT_BUSY, "53300"},      {"crowded", "other", EXIT_BUSY, "53300"},
        {"nodb", "postgres", EXIT_USAGE, "3D000"},    {"postgres", "nobody", EXIT_USAGE, "28000"},
        {"postgres", "nologin", EXIT_USAGE, "28000"}, {"closed", "postgres", EXIT_USAGE, "55000"},
        {"mine", "other", EXIT_USAGE, "42501"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        refuse(pg_cluster_url(cluster, cases[i].database, cases[i].role), cases[i].code,
               cases[i].sqlstate);
        refuse(pg_cluster_tcp_url(cluster, cases[i].database, cases[i].role), cases[i].code,
               cases[i].sqlstate);
    }
    refuse(fixture_text("%s&options=-cno_such_setting%%3D1",
                        pg_cluster_url(cluster, "postgres", NULL)),
           EXIT_USAGE, "42704");
}

static void a_server_without_free_connections_is_busy(void **state UNUSED)
{
    size_t count = 0;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *url = pg_cluster_url(cluster, "postgres", NULL);
    struct connect_options options = {.url = str_of(url)};
    struct connection *c[64];

    while (count < ARRAY_LEN(c) && (c[count] = driver->open(a, &options, &f)))
        count++;
    assert_int_equal(f.code, EXIT_BUSY);
    assert_string_equal(f.sqlstate, "53300");
    for (size_t i = 0; i < count; i++)
        driver->close(c[i]);
}

static void a_server_that_is_not_there_yet_is_busy(void **state UNUSED)
{
    int port = fixture_free_port();

    refuse(fixture_text("postgres://postgres@127.0.0.1:%d/postgres", port), EXIT_BUSY, "");
    refuse("postgres://u@/db?host=/nonexistent", EXIT_BUSY, "");
}

static int listen_at(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

/* Answers one connection with an error, in the bytes of the protocol. */
static pid_t answer_with(int fd, const char *fields, size_t len)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    char startup[1024];
    unsigned char head[5] = {'E', 0, 0, 0, (unsigned char)(len + 4)};
    int client = accept(fd, NULL, NULL);
    bool is_done = read(client, startup, sizeof(startup)) > 0 &&
                   write(client, head, sizeof(head)) == sizeof(head) &&
                   write(client, fields, len) == (ssize_t)len;
    _exit(is_done ? 0 : 1);
}

static void what_starts_stops_or_is_pooled_is_told_apart(void **state UNUSED)
{
#define ANSWER(severity, sqlstate, words)                                                          \
    "S" severity "\0C" sqlstate "\0M" words "\0",                                                  \
        sizeof("S" severity "\0C" sqlstate "\0M" words "\0")
    static const struct {
        const char *fields;
        size_t len;
        enum exit_code code;
        const char *sqlstate;
    } cases[] = {
        {ANSWER("SCHWERWIEGEND", "57P03", "das Datenbanksystem startet"), EXIT_BUSY, "57P03"},
        {ANSWER("SCHWERWIEGEND", "57P01", "die Verbindung wird beendet"), EXIT_BUSY, "57P01"},
        {ANSWER("SCHWERWIEGEND", "53200", "Speicher aufgebraucht"), EXIT_BUSY, "53200"},
        {ANSWER("FATAL", "08P01", "no such database: shop"), EXIT_USAGE, "08P01"},
        {ANSWER("FATAL", "08P01", "no more connections allowed"), EXIT_BUSY, "08P01"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int port = fixture_free_port();
        int status = 0;
        int fd = listen_at(port);
        pid_t pid = answer_with(fd, cases[i].fields, cases[i].len);
        refuse(
            fixture_text("postgres://u@127.0.0.1:%d/shop?sslmode=disable&gssencmode=disable", port),
            cases[i].code, cases[i].sqlstate);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        (void)close(fd);
    }
}

/* Listens, and never says a word, as a server that was stopped in its tracks. */
static void a_server_that_does_not_answer_is_given_up(void **state UNUSED)
{
    int port = fixture_free_port();
    int fd = listen_at(port);
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;

    const char *url = fixture_text("postgres://postgres@127.0.0.1:%d/postgres", port);
    struct connect_options options = {.url = str_of(url), .connect_timeout_ms = 2000};
    assert_null(driver->open(a, &options, &f));
    assert_int_equal(f.code, EXIT_BUSY);
    assert_non_null(strstr(f.message, "no answer within 2 s"));
    (void)close(fd);
}

static void of_several_hosts_the_one_that_answers_is_taken(void **state UNUSED)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *url = fixture_text("postgres://postgres@127.0.0.1:%d,127.0.0.1:%d/postgres",
                                   fixture_free_port(), pg_cluster_tcp_port(cluster));
    struct connect_options options = {.url = str_of(url), .connect_timeout_ms = 2000};
    struct connection *c = driver->open(a, &options, &f);

    kit_check(c != NULL, &f, "open");
    driver->close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_sqlstate_decides_in_any_language),
        cmocka_unit_test(a_server_without_free_connections_is_busy),
        cmocka_unit_test(a_server_that_is_not_there_yet_is_busy),
        cmocka_unit_test(what_starts_stops_or_is_pooled_is_told_apart),
        cmocka_unit_test(a_server_that_does_not_answer_is_given_up),
        cmocka_unit_test(of_several_hosts_the_one_that_answers_is_taken),
    };

    return cmocka_run_group_tests_name("postgres dial", tests, start, NULL);
}
