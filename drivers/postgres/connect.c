/*
 * Opening: the user's connection string is libpq's business; ours are a few defaults that give way
 * to it, to the environment and to a service file. Nothing goes into the start-up packet that a
 * pooler would refuse (no `options`): settings are made by the first query, see session.c.
 */
#include "drivers/postgres/connection.h"

#include <pthread.h>
#include <time.h>

#include "core/base/vec.h"

#define MAX_PARAMS 12
/* A server that does not answer a request to cancel in this time is not waited for. */
#define CANCEL_WAIT_S 5

struct params {
    const char *keys[MAX_PARAMS + 1];
    const char *values[MAX_PARAMS + 1];
    size_t count;
};

static void add_param(struct params *p, const char *key, const char *value)
{
    if (p->count == MAX_PARAMS)
        BUG("too many connection parameters");
    p->keys[p->count] = key;
    p->values[p->count++] = value;
}

/* Explicit parameters would win over those of a service file, which is the administrator's word. */
static bool uses_service(const struct target_url *target)
{
    const char *service = getenv("PGSERVICE");

    return (service && *service) || strstr(target->conninfo, "service=") != NULL;
}

PGconn *pgdrv_connect(const struct connection *c, struct fail *f)
{
    struct params p = {0};
    char timeout[16];
    uint32_t timeout_s = (c->options.connect_timeout_ms + 999) / 1000;

    (void)snprintf(timeout, sizeof(timeout), "%u", (unsigned)timeout_s);
    if (!uses_service(&c->target)) {
        if (timeout_s && !getenv("PGCONNECT_TIMEOUT"))
            add_param(&p, "connect_timeout", timeout);
        /* A dead peer is noticed within a minute, not after two hours (tcp(7)). */
        add_param(&p, "keepalives_idle", "30");
        add_param(&p, "keepalives_interval", "10");
        add_param(&p, "keepalives_count", "3");
    }
    add_param(&p, "dbname", c->target.conninfo);
    add_param(&p, "fallback_application_name", c->options.application_name);
    add_param(&p, "client_encoding", "UTF8");
    PGconn *pg = pgdrv_dial(&c->target, p.keys, p.values, f);
    if (!pg)
        return NULL;
    if (PQserverVersion(pg) < 120000) {
        (void)fail_set(f, EXIT_USAGE, "the server is PostgreSQL %d, older than 12",
                       PQserverVersion(pg) / 10000);
        (void)fail_hint(f, "Upgrade the server; versions before 12 are not supported.");
        PQfinish(pg);
        return NULL;
    }
    (void)PQsetnonblocking(pg, 1);
    return pg;
}

/* What a person may see of the place: never the password. */
static const char *describe(struct arena *a, PGconn *pg)
{
    const char *host = PQhost(pg);

    if (host && host[0] == '/')
        return arena_printf(a, "postgres://%s@/%s?host=%s&port=%s", PQuser(pg), PQdb(pg), host,
                            PQport(pg));
    return arena_printf(a, "postgres://%s@%s:%s/%s", PQuser(pg), host ? host : "", PQport(pg),
                        PQdb(pg));
}

/* libpq quotes what it could not understand, which may be half of a password. */
static bool check_conninfo(const struct target_url *target, struct fail *f)
{
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(target->conninfo, &words);

    /* A name of a database without '=' and "://" is no conninfo, and fine. */
    bool is_name = !strchr(target->conninfo, '=') && !strstr(target->conninfo, "://");
    bool is_valid = options != NULL || is_name;
    bool has_at_in_host = false;
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "host") == 0 && o->val && o->val[0] != '@' && strchr(o->val, '@'))
            has_at_in_host = true;
    }
    PQconninfoFree(options);
    PQfreemem(words);
    if (!is_valid) {
        (void)fail_set(f, EXIT_USAGE, "libpq does not understand the connection string");
        return fail_hint(f, "Write postgres://user@host:port/database?name=value, with names that "
                            "libpq knows, and %%40 for @ in a password.");
    }
    if (has_at_in_host) {
        (void)fail_set(f, EXIT_USAGE, "the connection string has more than one @ before its host");
        return fail_hint(f, "Write %%40 for each @ in the user name or password.");
    }
    return true;
}

static void take(struct connection *c, PGconn *pg)
{
    c->pg = pg;
    (void)PQsetNoticeReceiver(pg, pgdrv_notice, c);
    c->safe_url = describe(c->arena, pg);
    PGcancel *cancel = PQgetCancel(pg);
    vec_push(c->arena, &c->cancels, cancel);
    atomic_store(&c->cancel, cancel);
    c->is_lost = false;
    c->is_started = false;
    c->is_begun = false;
    c->xid[0] = '\0';
    pgdrv_journal_forget(c);
}

bool pgdrv_reconnect(struct connection *c, struct fail *f)
{
    PGconn *pg = pgdrv_connect(c, f);

    if (!pg)
        return false;
    PQfinish(c->pg);
    c->has_forgotten = c->has_forgotten || c->is_dirty;
    c->is_dirty = false;
    if (c->has_lock && !c->must_relock) {
        c->must_relock = true;
        c->lost_lock_pid = c->server_pid;
    }
    take(c, pg);
    return true;
}

struct connection *pgdrv_open(struct arena *a UNUSED, const struct connect_options *options,
                              struct fail *f)
{
    const char *failure = libpq_load();

    if (failure) {
        (void)fail_set(f, EXIT_USAGE, "%s", failure);
        (void)fail_hint(f, "Install the package libpq5, version 14 or later.");
        return NULL;
    }
    struct connection *c = calloc(1, sizeof(*c));
    if (!c)
        BUG("out of memory");
    c->arena = arena_make();
    c->options = *options;
    c->options.url = arena_str(c->arena, options->url);
    c->options.application_name = arena_cstr(
        c->arena, str_of(options->application_name ? options->application_name : "migrate"));
    c->history_name =
        options->history_name.len ? arena_str(c->arena, options->history_name) : STR("migrator");
    c->history_schema = pgdrv_quote_identifier(c->arena, c->history_name);
    PGconn *pg = NULL;
    if (target_url_parse(c->arena, c->options.url, ENGINE_POSTGRES, &c->target, f) &&
        check_conninfo(&c->target, f))
        pg = pgdrv_connect(c, f);
    if (!pg) {
        arena_release(c->arena);
        free(c);
        return NULL;
    }
    take(c, pg);
    return c;
}

void pgdrv_close(struct connection *c)
{
    if (!c)
        return;
    atomic_store(&c->cancel, NULL);
    /* One that is still under way keeps what it uses. */
    bool is_quiet = pgdrv_await_cancel();
    for (size_t i = 0; i < c->cancels.count && is_quiet; i++)
        PQfreeCancel(c->cancels.at[i]);
    pgdrv_watch_close(c);
    arena_release(c->watch.arena);
    PQfinish(c->pg);
    arena_release(c->arena);
    free(c);
}

/* Held while a request to cancel is under way: it is over when the server closes its connection, which
   it does when the signals are sent. */
static pthread_mutex_t cancel_mutex = PTHREAD_MUTEX_INITIALIZER;
/* The request that is under way was waited for in vain: not once more. */
static atomic_bool is_unanswered;

void pgdrv_cancel(struct connection *c)
{
    char words[256];

    (void)pthread_mutex_lock(&cancel_mutex);
    PGcancel *cancel = atomic_load(&c->cancel);
    /* Its own failure changes nothing. */
    if (cancel && atomic_load(&c->shields) == 0)
        (void)PQcancel(cancel, words, sizeof(words));
    (void)pthread_mutex_unlock(&cancel_mutex);
}

bool pgdrv_await_cancel(void)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += atomic_load(&is_unanswered) ? 0 : CANCEL_WAIT_S;
    if (pthread_mutex_timedlock(&cancel_mutex, &until) != 0) {
        atomic_store(&is_unanswered, true);
        return false;
    }
    atomic_store(&is_unanswered, false);
    (void)pthread_mutex_unlock(&cancel_mutex);
    return true;
}

void pgdrv_shield(struct connection *c)
{
    atomic_fetch_add(&c->shields, 1);
    (void)pgdrv_await_cancel();
}

void pgdrv_unshield(struct connection *c)
{
    atomic_fetch_sub(&c->shields, 1);
}
