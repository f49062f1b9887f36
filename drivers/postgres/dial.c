/*
 * Making a connection, and why there is none. libpq keeps the SQLSTATE of a refusal to itself, but
 * writes it into its message once it is told to be verbose, and that can be said only between
 * PQconnectStartParams() and the server's answer. So the steps are ours where one host is named;
 * with several PQconnectdbParams() goes from one to the next, each with its own timeout, and a
 * refusal is known by its words, as those of poolers are: PgBouncer has one SQLSTATE for most of them.
 */
#include "drivers/postgres/connection.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>

#include "core/base/clock.h"

/* libpq's own least, and none below 1: connectDBComplete() in fe-connect.c. */
#define TIMEOUT_LEAST_S 2

struct dialling {
    PGconn *pg;
    bool has_several_hosts;
    int64_t timeout_us; /* of each address; 0: none */
    int64_t deadline_us;
    char address[64]; /* the one that is tried */
};

static void read_options(struct dialling *d)
{
    PQconninfoOption *options = PQconninfo(d->pg);
    int64_t timeout_s = 0;

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        bool is_host = strcmp(o->keyword, "host") == 0 || strcmp(o->keyword, "hostaddr") == 0;
        if (is_host && o->val && strchr(o->val, ','))
            d->has_several_hosts = true;
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val)
            (void)!str_to_i64(str_trim(str_of(o->val)), &timeout_s);
    }
    PQconninfoFree(options);
    if (timeout_s > 0)
        d->timeout_us = (timeout_s < TIMEOUT_LEAST_S ? TIMEOUT_LEAST_S : timeout_s) * 1000000;
}

/* A name may have several addresses: each has the whole time. */
static void note_address(struct dialling *d)
{
    const char *address = PQhostaddr(d->pg);

    if (d->deadline_us && strcmp(d->address, address ? address : "") == 0)
        return;
    (void)snprintf(d->address, sizeof(d->address), "%s", address ? address : "");
    d->deadline_us = clock_monotonic_us() + d->timeout_us;
}

/* false: no answer in time. */
static bool await_socket(struct dialling *d, PostgresPollingStatusType wanted)
{
    struct pollfd polled = {.fd = PQsocket(d->pg),
                            .events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT};

    for (;;) {
        int64_t left_us = d->deadline_us - clock_monotonic_us();
        int left_ms = d->timeout_us ? (int)((left_us > 0 ? left_us : 0) / 1000) : -1;
        int ready = poll(&polled, 1, left_ms);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return true;
        if (ready == 0)
            return false;
    }
}

static bool fail_silent(const struct target_url *target, const struct dialling *d, struct fail *f)
{
    (void)fail_set(f, EXIT_BUSY, "cannot connect to %s: no answer within %lld s", target->safe,
                   (long long)(d->timeout_us / 1000000));
    (void)fail_kind_set(f, FAIL_CONNECTION);
    return fail_hint(f, "Check that the server runs and can be reached from here; nothing was "
                        "changed.");
}

PGconn *pgdrv_dial(const struct target_url *target, const char *const *keys,
                   const char *const *values, struct fail *f)
{
    struct dialling d = {.pg = PQconnectStartParams(keys, values, 1)};
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    bool is_answered = true;

    if (!d.pg)
        BUG("out of memory");
    read_options(&d);
    if (d.has_several_hosts) {
        PQfinish(d.pg);
        d.pg = PQconnectdbParams(keys, values, 1);
        if (!d.pg)
            BUG("out of memory");
    }
    (void)PQsetErrorVerbosity(d.pg, PQERRORS_VERBOSE);
    while (!d.has_several_hosts && PQstatus(d.pg) != CONNECTION_BAD && wanted != PGRES_POLLING_OK &&
           wanted != PGRES_POLLING_FAILED && is_answered) {
        note_address(&d);
        is_answered = await_socket(&d, wanted);
        if (is_answered)
            wanted = PQconnectPoll(d.pg);
    }
    (void)PQsetErrorVerbosity(d.pg, PQERRORS_DEFAULT);
    if (is_answered && PQstatus(d.pg) == CONNECTION_OK)
        return d.pg;
    (void)(is_answered ? pgdrv_fail_connect(target, d.pg, f) : fail_silent(target, &d, f));
    PQfinish(d.pg);
    return NULL;
}

/* ---- why not ---- */

/* Takes a password out of libpq's words. They hold none as far as we know; this makes it sure. */
static struct str without_password(struct arena *a, PGconn *pg, struct str text)
{
    struct str password = {0};
    SCOPED(buf) struct buf clean = {0};
    PQconninfoOption *options = PQconninfo(pg);

    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (strcmp(o->keyword, "password") == 0 && o->val)
            password = arena_str(a, str_of(o->val));
    }
    PQconninfoFree(options);
    for (size_t found; password.len && (found = str_find(text, password)) != SIZE_MAX;) {
        buf_add(&clean, text.at, found);
        buf_add_cstr(&clean, "***");
        text = str_skip(text, found + password.len);
    }
    buf_add_str(&clean, text);
    return buf_done(a, &clean);
}

/* Where verbose words say ":  28P01: " behind the (translated) severity; SIZE_MAX: nowhere. */
static size_t find_sqlstate(struct str line)
{
    static const size_t len = sizeof(":  28P01: ") - 1;

    for (size_t i = 0; i + len <= line.len; i++) {
        const char *at = line.at + i;
        bool is_state = memcmp(at, ":  ", 3) == 0 && memcmp(at + 8, ": ", 2) == 0;
        for (size_t k = 3; k < 8 && is_state; k++)
            is_state = isdigit((unsigned char)at[k]) || isupper((unsigned char)at[k]);
        if (is_state)
            return i + 3;
    }
    return SIZE_MAX;
}

/* "LOCATION:  auth_failed, auth.c:344", in whatever language: where in the server's source. */
static bool is_location(struct str line)
{
    size_t end = line.len;

    while (end && isdigit((unsigned char)line.at[end - 1]))
        end--;
    return end < line.len && end > 3 && memcmp(line.at + end - 3, ".c:", 3) == 0;
}

/* The words as libpq writes them by default. state: the last SQLSTATE in them, "" where there is none. */
static const char *plain_words(struct arena *a, struct str words, char state[6])
{
    SCOPED(buf) struct buf plain = {0};
    bool is_of_server = false;

    state[0] = '\0';
    for (struct str line; words.len;) {
        words = str_cut_line(words, &line);
        size_t at = find_sqlstate(line);
        if (at == SIZE_MAX && is_of_server && is_location(line))
            continue;
        if (at != SIZE_MAX) {
            is_of_server = true;
            (void)snprintf(state, 6, "%.5s", line.at + at);
            buf_add(&plain, line.at, at);
            line = str_skip(line, at + sizeof("28P01: ") - 1);
        }
        buf_add_str(&plain, line);
        buf_add_char(&plain, '\n');
    }
    return buf_done(a, &plain).at;
}

struct refusal {
    const char *state; /* SQLSTATE, or its beginning */
    const char *words; /* in English; NULL: any */
    enum exit_code code;
    const char *hint;
};

#define LATER "Run again when the server is ready; nothing was changed."
#define FULL "Run again when connections are free; nothing was changed."
#define ADMITTED                                                                                   \
    "The server does not admit this user from here: is there such a role, may it log in, and "     \
    "does "                                                                                        \
    "a line of pg_hba.conf let it in?"

/* The first row that fits. src/backend/libpq/auth.c, utils/init/postinit.c, postmaster/postmaster.c and
   tcop/backend_startup.c raise them. What a pooler says in English is in the rows of "08P01" (and
   "": no SQLSTATE, since there were several hosts); in the others words only make the hint better. */
static const struct refusal refusals[] = {
    {"28P01", NULL, EXIT_USAGE, "Check user and password of the URL."},
    {"28", "role \"", EXIT_USAGE, "Create the role, or correct its name in the URL."},
    {"28", NULL, EXIT_USAGE, ADMITTED},
    {"3D000", NULL, EXIT_USAGE, "Create the database, or correct its name in the URL."},
    {"42501", NULL, EXIT_USAGE, "Grant the role CONNECT on the database."},
    {"55000", NULL, EXIT_USAGE, "The database accepts no connections (ALLOW_CONNECTIONS false)."},
    {"53", NULL, EXIT_BUSY, FULL},
    {"57P03", NULL, EXIT_BUSY, LATER},
    {"57P0", NULL, EXIT_BUSY, LATER},
    {"08P01", "no such ", EXIT_USAGE,
     "Correct user and database in the URL, or the pooler's list."},
    {"08P01", "authentication failed", EXIT_USAGE, "Check user and password of the URL."},
    {"08", NULL, EXIT_BUSY, LATER},
    {"", "starting up", EXIT_BUSY, LATER},
    {"", "shutting down", EXIT_BUSY, LATER},
    {"", "recovery mode", EXIT_BUSY, LATER},
    {"", "too many", EXIT_BUSY, FULL},
    {"", "remaining connection slots", EXIT_BUSY, FULL},
    {"", "authentication failed", EXIT_USAGE, "Check user and password of the URL."},
    {"", "no pg_hba.conf entry", EXIT_USAGE, ADMITTED},
    {"", "database \"", EXIT_USAGE, "Create the database, or correct its name in the URL."},
    {"", "role \"", EXIT_USAGE, "Create the role, or correct its name in the URL."},
};

static bool fits(const struct refusal *r, const char *state, const char *words)
{
    bool is_state = *r->state ? strncmp(state, r->state, strlen(r->state)) == 0 : !*state;

    return is_state && (!r->words || strstr(words, r->words));
}

bool pgdrv_fail_connect(const struct target_url *target, PGconn *pg, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    char state[6];
    struct str all = without_password(a, pg, str_trim(str_of(PQerrorMessage(pg))));
    const char *words = plain_words(a, all, state);
    static const struct refusal general = {
        "", NULL, EXIT_BUSY,
        "Check that the server runs and can be reached from here; nothing was changed."};
    /* Something else the server refuses, as a setting in the URL that it does not know. */
    static const struct refusal other = {"", NULL, EXIT_USAGE, "Correct what the server refuses."};
    static const struct refusal no_password = {
        "", NULL, EXIT_USAGE, "Put the password into the URL, ~/.pgpass or PGPASSWORD."};
    const struct refusal *refusal = *state ? &other : &general;

    if (!*state && PQconnectionNeedsPassword(pg))
        refusal = &no_password;
    for (size_t i = ARRAY_LEN(refusals); i-- > 0 && refusal != &no_password;) {
        if (fits(&refusals[i], state, words))
            refusal = &refusals[i];
    }
    struct str message;
    struct str rest = str_trim(str_cut_line(str_of(words), &message));
    (void)fail_set(f, refusal->code, "cannot connect to %s: %.*s", target->safe, STR_ARG(message));
    (void)fail_kind_set(f, FAIL_CONNECTION);
    (void)snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", state);
    if (rest.len)
        (void)fail_detail(f, "%.*s", STR_ARG(rest));
    return fail_hint(f, "%s", refusal->hint);
}
