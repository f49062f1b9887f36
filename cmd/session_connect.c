/*
 * The connection of a session: opened, read from, led past a pooler, closed.
 */
#include "cmd/session.h"

#include "cmd/signals.h"
#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "drivers/source/git_branch.h"

#define CONNECT_TIMEOUT_MS 15000

/* How long the opening may take in all. A SQLite file that another program holds exclusively cannot
   even be read: that is the wait for another run, of which --wait says how long. */
static int64_t opening_ms(const struct session *s)
{
    bool is_said = s->url.engine == ENGINE_SQLITE && s->options->wait_is_given;

    return is_said ? s->options->wait_ms : CONNECT_TIMEOUT_MS;
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* Asks again until the time is over: a signal is heeded between two calls. */
static bool open_in_time(struct session *s, struct connect_options *options, struct fail *f)
{
    int64_t until_us = clock_monotonic_us() + opening_ms(s) * 1000;

    for (;;) {
        int64_t left_ms = (until_us - clock_monotonic_us() + 999) / 1000;
        options->connect_timeout_ms = (uint32_t)within(left_ms, 1, CONNECT_TIMEOUT_MS);
        s->connection = s->driver->open(s->arena, options, f);
        if (s->connection)
            return true;
        if (f->kind != FAIL_LOCK_TIMEOUT || stop_signal || clock_monotonic_us() >= until_us)
            break;
        fail_clear(f);
    }
    if (f->kind == FAIL_LOCK_TIMEOUT && !options->is_read_only)
        fail_hint(f, "To wait longer: --wait 10m.");
    return false;
}

static bool open_connection(struct session *s, struct str url, bool is_read_only, struct fail *f)
{
    struct connect_options options = {
        .url = url,
        .engine_hint = s->url.engine,
        .history_name = s->history_name,
        .application_name = arena_printf(s->arena, "migrate run=%.8s", s->run),
        .is_read_only = is_read_only,
        .must_exist = is_read_only,
        .lock_timeout_ms = is_read_only ? 0 : (uint32_t)s->config.lock_timeout_ms,
        .is_bulk = !is_read_only,
    };
    return open_in_time(s, &options, f);
}

bool session_connect(struct session *s, bool is_read_only, struct fail *f)
{
    return open_connection(s, s->url_text, is_read_only, f);
}

bool session_connect_or_empty(struct session *s, struct fail *f)
{
    if (s->url.engine != ENGINE_SQLITE || s->url.mode || fs_exists(s->url.path))
        return session_connect(s, true, f) && session_read_history(s, f);
    s->is_absent = true;
    s->history = (struct history){0};
    s->server = (struct server_identity){.safe_url = s->url.safe};
    return true;
}

bool session_read_history(struct session *s, struct fail *f)
{
    s->history = (struct history){0};
    return s->driver->read_history(s->arena, s->connection, &s->history, f) &&
           s->driver->identity(s->arena, s->connection, &s->server, f);
}

static void close_connection(struct session *s)
{
    if (s->connection)
        s->driver->close(s->connection);
    s->connection = NULL;
}

static const char *const direct_names[] = {
    "MIGRATE_DIRECT_URL",
    "DIRECT_URL",
    "DATABASE_URL_UNPOOLED",
    "POSTGRES_URL_NON_POOLING",
};

/* Connects to the server itself; it must be the database that was reached through the pooler. */
static bool go_direct(struct session *s, const char *name, const char *url, struct fail *f)
{
    struct str head = s->history.head_digest;
    struct str database = arena_str(s->arena, str_of(s->server.database));
    close_connection(s);
    s->url_text = str_of(url);
    if (!session_parse_url(s, f) || !session_connect(s, false, f) || !session_read_history(s, f) ||
        !s->driver->check_session(s->connection, f))
        return false;
    if (str_equal(head, s->history.head_digest) && str_equal(database, str_of(s->server.database)))
        return true;
    fail_set(f, EXIT_INTEGRITY, "%s leads to another database than the pooler does", name);
    return fail_hint(f, "Let it name the same database, by its server's own address.");
}

bool session_require_direct(struct session *s, struct fail *f)
{
    if (s->driver->check_session(s->connection, f))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(direct_names) && !s->options->url; i++) {
        const char *direct = getenv(direct_names[i]);
        bool is_ours = i == 0; /* the others belong to DATABASE_URL */
        if (!direct || !direct[0] || (!is_ours && !s->url_is_from_environment))
            continue;
        log_line(LOG_NOTE, "%s; connecting to %s instead", f->message, direct_names[i]);
        fail_clear(f);
        return go_direct(s, direct_names[i], direct, f);
    }
    if (s->options->url)
        fail_hint(f, "With --url, give that direct address there.");
    return false;
}

void session_close(struct session *s)
{
    close_connection(s);
    git_branch_close(s->branch);
    s->branch = NULL;
    arena_release(s->files_arena);
    s->files_arena = NULL;
}
