/*
 * The traffic of an application beside an operation on its database, and what the application feels of it.
 *
 *   traffic_bench OPTIONS -- COMMAND…
 *
 * Requests are due at fixed times (open loop), whatever became of those before: a request that finds every
 * connection taken waits for one, and its wait counts from the moment at which it was due. A statement that
 * stops the application therefore shows as it does to its users. Each request is one statement, parsed anew.
 *
 * After the warm-up COMMAND runs, and lines "name value" go to standard output: of all requests that were
 * due or under way while it ran, the longest wait and the 99.9th percentile in ms, and the errors; of the
 * command its time in ms, its exit code, and the bytes of WAL that everybody but the application's role
 * wrote (pg_stat_statements has them by role; what the server writes in the background is left out).
 */
#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/postgres/libpq.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST_CONNECTIONS = 64,
    MOST_KINDS = 16,
    MOST_ERRORS = 5, /* different ones that are told */
    WHY_BYTES = 400,
    PARAMETERS = 3, /* $1 a key that is there, $2 a number never given before, $3 a small one */
    SLOW_MS = 40,   /* then somebody looks at what the requests wait for */
    LOOK_EVERY_MS = 20,
    GIVE_UP_S = 1800,
};

/* How statements are sent: always as bigint, so that a statement need not use them all. */
static const Oid parameter_types[PARAMETERS] = {20, 20, 20};

struct kind {
    const char *name, *sql;
    uint32_t weight;
    int parameters;
};

struct link {
    PGconn *pg;
    const struct kind *kind; /* NULL: idle */
    int64_t due_us;
    char why[WHY_BYTES];
};

struct bench {
    struct arena *arena;
    const char *url, *app, *traffic, *waits, *reader, *log;
    char *const *command;
    int64_t keys, rate, connections, warm_ms, reader_ms;
    struct kind kinds[MOST_KINDS];
    size_t kind_count;
    uint32_t weight;
    struct link links[MOST_CONNECTIONS];
    PGconn *control, *watcher, *holder; /* holder: of the reader's transaction, or NULL */
    const char *waits_sql;
    bool is_looking, has_held;
    int64_t looked_us;
    uint64_t random;
    int64_t begun_us, sent; /* the next request is due at begun_us + sent / rate */
    int64_t from_us, to_us; /* of the command; to_us 0: it runs */
    pid_t child;            /* 0: not started */
    int exit_code;
    VEC_OF(int64_t) waits_us;
    int64_t longest_us;
    char longest_why[WHY_BYTES];
    const char *longest_kind;
    char last_why[WHY_BYTES]; /* of anybody */
    uint32_t errors;
    struct failure {
        char text[WHY_BYTES];
        uint32_t count;
    } failures[MOST_ERRORS];
};

NORETURN static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "traffic_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static const char *read_file(struct bench *b, const char *path)
{
    enum { MOST_BYTES = 1 << 20 };
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    if (!fs_read(b->arena, path, MOST_BYTES, &text, &f))
        die(path, f.message);
    return arena_cstr(b->arena, text);
}

/* ---- the statements */

static int parameters_of(const char *sql)
{
    int count = 0;
    for (const char *at = strchr(sql, '$'); at; at = strchr(at + 1, '$'))
        if (at[1] >= '1' && at[1] <= '0' + PARAMETERS && at[1] - '0' > count)
            count = at[1] - '0';
    return count;
}

/* "-- NAME WEIGHT", a line; then the statement, to the next such line. */
static void read_traffic(struct bench *b)
{
    char *text = arena_cstr(b->arena, str_of(read_file(b, b->traffic)));
    for (char *at = strstr(text, "-- "); at;) {
        char *end = strchr(at, '\n');
        char *next = end ? strstr(end, "\n-- ") : NULL;
        char *weight = strchr(at + 3, ' ');
        if (!end || !weight || weight > end || b->kind_count == MOST_KINDS)
            die(b->traffic, "want lines \"-- NAME WEIGHT\", each with a statement behind it");
        if (next)
            *next++ = '\0';
        *weight = '\0';
        struct kind *k = &b->kinds[b->kind_count++];
        *k = (struct kind){.name = at + 3,
                           .sql = end + 1,
                           .weight = (uint32_t)strtoul(weight + 1, NULL, 10),
                           .parameters = parameters_of(end + 1)};
        b->weight += k->weight;
        at = next;
    }
    if (b->weight == 0)
        die(b->traffic, "no statement in it");
}

/* xorshift64*: the same requests in every run. */
static int64_t random_below(struct bench *b, int64_t end)
{
    b->random ^= b->random >> 12;
    b->random ^= b->random << 25;
    b->random ^= b->random >> 27;
    return (int64_t)((b->random * 0x2545F4914F6CDD1DULL >> 1) % (uint64_t)end);
}

static const struct kind *pick_kind(struct bench *b)
{
    uint32_t at = (uint32_t)random_below(b, b->weight);
    const struct kind *k = b->kinds;
    while (at >= k->weight)
        at -= k++->weight;
    return k;
}

/* ---- connections */

static PGconn *open_connection(const char *conninfo, const char *name)
{
    const char *const names[] = {"dbname", "application_name", NULL};
    const char *const values[] = {conninfo, name, NULL};
    PGconn *pg = PQconnectdbParams(names, values, 1);
    if (PQstatus(pg) != CONNECTION_OK)
        die("cannot connect", PQerrorMessage(pg));
    return pg;
}

/* The first value of the last result, as a number. */
static int64_t ask(PGconn *pg, const char *sql)
{
    SCOPED(pg_result) PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(pg));
    return PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
}

static int64_t wal_bytes(const struct bench *b)
{
    return ask(b->control,
               "SELECT coalesce(sum(s.wal_bytes), 0)::bigint FROM pg_stat_statements s "
               "WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) "
               "AND s.userid <> (SELECT oid FROM pg_roles WHERE rolname = 'app')");
}

static void open_connections(struct bench *b)
{
    b->control = open_connection(b->url, "bench control");
    b->watcher = open_connection(b->url, "bench watcher");
    for (int64_t i = 0; i < b->connections; i++)
        b->links[i].pg = open_connection(b->app, "application");
    if (!b->reader)
        return;
    b->holder = open_connection(b->app, "long reader");
    (void)ask(b->holder, read_file(b, b->reader));
}

/* ---- requests */

static int64_t due_us(const struct bench *b, int64_t number)
{
    return b->begun_us + number * 1000000 / b->rate;
}

/* Whether a request that was due then and ended now has to do with the command. */
static bool is_counted(const struct bench *b, int64_t due, int64_t now)
{
    return b->from_us && now >= b->from_us && (!b->to_us || due <= b->to_us);
}

static void note_failure(struct bench *b, const struct link *l, const char *state,
                         const char *message)
{
    char text[WHY_BYTES];
    (void)snprintf(text, sizeof(text), "%s %s: %.*s", l->kind->name, state ? state : "-----",
                   (int)strcspn(message, "\n"), message);
    b->errors++;
    for (size_t i = 0; i < MOST_ERRORS; i++) {
        struct failure *f = &b->failures[i];
        if (f->count == 0)
            (void)snprintf(f->text, sizeof(f->text), "%s", text);
        if (strcmp(f->text, text) == 0) {
            f->count++;
            return;
        }
    }
}

static void begin_request(struct bench *b, struct link *l)
{
    char texts[PARAMETERS][24];
    const char *values[PARAMETERS];
    int64_t numbers[PARAMETERS] = {1 + random_below(b, b->keys), b->keys + 1 + b->sent,
                                   1 + random_below(b, 1000)};
    for (size_t i = 0; i < PARAMETERS; i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%lld", (long long)numbers[i]);
        values[i] = texts[i];
    }
    l->kind = pick_kind(b);
    l->due_us = due_us(b, b->sent++);
    (void)snprintf(l->why, WHY_BYTES, "%s",
                   clock_monotonic_us() - l->due_us > SLOW_MS * 1000 ? b->last_why : "");
    if (!PQsendQueryParams(l->pg, l->kind->sql, l->kind->parameters, parameter_types, values, NULL,
                           NULL, 0))
        die("cannot send a request", PQerrorMessage(l->pg));
}

static void end_request(struct bench *b, struct link *l)
{
    int64_t now = clock_monotonic_us();
    if (is_counted(b, l->due_us, now)) {
        int64_t waited_us = now - l->due_us;
        vec_push(b->arena, &b->waits_us, waited_us);
        if (waited_us > b->longest_us) {
            b->longest_us = waited_us;
            b->longest_kind = l->kind->name;
            (void)snprintf(b->longest_why, sizeof(b->longest_why), "%s", l->why);
        }
    }
    l->kind = NULL;
}

static void take_results(struct bench *b, struct link *l)
{
    if (!PQconsumeInput(l->pg))
        die("an application's connection is lost", PQerrorMessage(l->pg));
    while (l->kind && !PQisBusy(l->pg)) {
        SCOPED(pg_result) PGresult *r = PQgetResult(l->pg);
        if (!r)
            end_request(b, l);
        else if (PQresultStatus(r) == PGRES_FATAL_ERROR &&
                 is_counted(b, l->due_us, clock_monotonic_us()))
            note_failure(b, l, PQresultErrorField(r, PG_DIAG_SQLSTATE),
                         PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
    }
}

/* ---- who waits for what */

/* A lock tells more than what a request waits for behind it, all at once with those that it held up. */
static bool is_lock(const char *why)
{
    return strncmp(why, "Lock/", strlen("Lock/")) == 0 || strstr(why, ": Lock/") != NULL;
}

static void note_why(struct bench *b, const char *process, const char *why)
{
    int64_t pid = 0;
    if (!str_to_i64(str_of(process), &pid))
        die(b->waits, "want rows of process, text");
    (void)snprintf(b->last_why, WHY_BYTES, "no connection free; another: %s", why);
    for (int64_t i = 0; i < b->connections; i++)
        if (b->links[i].kind && PQbackendPID(b->links[i].pg) == pid &&
            (is_lock(why) || !is_lock(b->links[i].why)))
            (void)snprintf(b->links[i].why, WHY_BYTES, "%s", why);
}

static void take_look(struct bench *b)
{
    if (!PQconsumeInput(b->watcher))
        die("the watcher's connection is lost", PQerrorMessage(b->watcher));
    while (b->is_looking && !PQisBusy(b->watcher)) {
        SCOPED(pg_result) PGresult *r = PQgetResult(b->watcher);
        b->is_looking = r != NULL;
        if (r && PQresultStatus(r) == PGRES_FATAL_ERROR)
            die(b->waits, PQerrorMessage(b->watcher));
        for (int row = 0; r && row < PQntuples(r); row++)
            note_why(b, PQgetvalue(r, row, 0), PQgetvalue(r, row, 1));
    }
}

static void look_where_slow(struct bench *b, int64_t now)
{
    if (b->is_looking || !b->from_us || now - b->looked_us < LOOK_EVERY_MS * 1000)
        return;
    for (int64_t i = 0; i < b->connections; i++)
        if (b->links[i].kind && now - b->links[i].due_us > SLOW_MS * 1000) {
            b->is_looking = PQsendQuery(b->watcher, b->waits_sql) != 0;
            b->looked_us = now;
            return;
        }
}

/* ---- the operation */

static void start_command(struct bench *b)
{
    posix_spawn_file_actions_t files;
    b->from_us = clock_monotonic_us();
    if (posix_spawn_file_actions_init(&files) != 0 ||
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, b->log,
                                         O_WRONLY | O_CREAT | O_TRUNC, 0644) != 0 ||
        posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO) != 0 ||
        posix_spawnp(&b->child, b->command[0], &files, NULL, b->command, environ) != 0)
        die(b->command[0], "cannot be started");
    (void)posix_spawn_file_actions_destroy(&files);
}

static void look_at_command(struct bench *b, int64_t now)
{
    int status;
    if (now - b->from_us > GIVE_UP_S * INT64_C(1000000))
        (void)kill(b->child, SIGKILL);
    if (waitpid(b->child, &status, WNOHANG) != b->child)
        return;
    b->to_us = now;
    b->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The long reader lets go; nobody waits for its answer. */
static void end_reader(struct bench *b)
{
    if (b->holder && PQsendQuery(b->holder, "COMMIT"))
        b->has_held = true;
}

/* ---- the loop */

static void wait_for_something(struct bench *b)
{
    struct pollfd fds[MOST_CONNECTIONS + 1];
    nfds_t count = 0;
    for (int64_t i = 0; i < b->connections; i++)
        fds[count++] = (struct pollfd){.fd = b->links[i].kind ? PQsocket(b->links[i].pg) : -1,
                                       .events = POLLIN};
    int watcher = b->is_looking ? PQsocket(b->watcher) : -1;
    fds[count++] = (struct pollfd){.fd = watcher, .events = POLLIN};
    /* A millisecond also bounds how late the end of the command is seen. */
    (void)poll(fds, count, 1);
    for (int64_t i = 0; i < b->connections; i++)
        if (fds[i].revents)
            take_results(b, &b->links[i]);
    if (fds[count - 1].revents)
        take_look(b);
}

static bool has_open_requests(const struct bench *b)
{
    for (int64_t i = 0; i < b->connections; i++)
        if (b->links[i].kind && b->links[i].due_us <= b->to_us)
            return true;
    return due_us(b, b->sent) <= b->to_us;
}

static void run(struct bench *b)
{
    int64_t wal = wal_bytes(b);
    b->begun_us = clock_monotonic_us();
    while (!b->to_us || has_open_requests(b)) {
        int64_t now = clock_monotonic_us();
        for (int64_t i = 0; i < b->connections && due_us(b, b->sent) <= now; i++)
            if (!b->links[i].kind)
                begin_request(b, &b->links[i]);
        if (!b->child && now - b->begun_us >= b->warm_ms * 1000)
            start_command(b);
        if (b->child && !b->to_us)
            look_at_command(b, now);
        if (b->from_us && !b->has_held && (b->to_us || now - b->from_us >= b->reader_ms * 1000))
            end_reader(b);
        look_where_slow(b, now);
        wait_for_something(b);
    }
    (void)printf("wal_bytes %lld\n", (long long)(wal_bytes(b) - wal));
}

static int compare_waits(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void report(struct bench *b)
{
    size_t count = b->waits_us.count;
    if (count > 0)
        qsort(b->waits_us.at, count, sizeof(*b->waits_us.at), compare_waits);
    size_t rank = (count * 999 + 999) / 1000; /* the nearest rank, from 1 */
    (void)printf("requests %zu\nlongest_ms %.1f\np999_ms %.1f\nerrors %u\ntime_ms %.1f\nexit %d\n",
                 count, (double)b->longest_us / 1000,
                 count ? (double)b->waits_us.at[rank - 1] / 1000 : 0.0, b->errors,
                 (double)(b->to_us - b->from_us) / 1000, b->exit_code);
    if (b->longest_why[0])
        (void)printf("longest %s: %s\n", b->longest_kind, b->longest_why);
    for (size_t i = 0; i < MOST_ERRORS && b->failures[i].count; i++)
        (void)printf("error %u x %s\n", b->failures[i].count, b->failures[i].text);
}

/* ---- options */

#define MEMBER(name) offsetof(struct bench, name)
static const struct option {
    const char *name;
    size_t offset; /* in struct bench, of a const char * or an int64_t */
    bool is_number;
} all_options[] = {
    {"--url", MEMBER(url), false},
    {"--app", MEMBER(app), false},
    {"--traffic", MEMBER(traffic), false},
    {"--waits", MEMBER(waits), false},
    {"--reader", MEMBER(reader), false},
    {"--log", MEMBER(log), false},
    {"--reader-ms", MEMBER(reader_ms), true},
    {"--keys", MEMBER(keys), true},
    {"--rate", MEMBER(rate), true},
    {"--connections", MEMBER(connections), true},
    {"--warm-ms", MEMBER(warm_ms), true},
};

static void take_option(struct bench *b, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(all_options); i++) {
        const struct option *o = &all_options[i];
        void *member = (char *)b + o->offset;
        if (strcmp(o->name, name) != 0)
            continue;
        if (!o->is_number)
            memcpy(member, &value, sizeof(value));
        else if (!str_to_i64(str_of(value), member))
            die(value, "not a number");
        return;
    }
    die(name, "unknown option");
}

static void read_options(struct bench *b, char **argv)
{
    for (; *argv && strcmp(*argv, "--") != 0; argv += 2)
        if (!argv[1])
            die(*argv, "wants a value");
        else
            take_option(b, argv[0], argv[1]);
    b->command = *argv ? argv + 1 : argv;
    if (!b->url || !b->app || !b->traffic || !b->waits || !b->log || !*b->command || b->keys < 1 ||
        b->rate < 1 || b->connections < 1 || b->connections > MOST_CONNECTIONS)
        die("options", "want --url --app --traffic --waits --log --keys --rate --connections, "
                       "and -- COMMAND");
}

int main(int argc UNUSED, char **argv)
{
    SCOPED(arena) struct arena *arena = arena_make();
    struct bench *b = arena_new(arena, struct bench);
    b->arena = arena;
    b->random = 0x9E3779B97F4A7C15ULL;
    if (libpq_load())
        die("libpq", libpq_load());
    read_options(b, argv + 1);
    read_traffic(b);
    b->waits_sql = read_file(b, b->waits);
    open_connections(b);
    run(b);
    report(b);
    for (int64_t i = 0; i < b->connections; i++)
        PQfinish(b->links[i].pg);
    PQfinish(b->watcher);
    PQfinish(b->control);
    PQfinish(b->holder);
    return EXIT_SUCCESS;
}
