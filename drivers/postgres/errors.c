/*
 * The server's words become a failure; its SQLSTATE decides the kind (appendix A of PostgreSQL's
 * manual). Why a connection could not be made is said in dial.c.
 */
#include "drivers/postgres/connection.h"

#include "core/base/log.h"
#include "core/base/text.h"

/* The server ends the session with this error: shut down, terminated, idle for too long, and whatever
   else there may be. No SQLSTATE tells that: a function may raise any of them, but none of these. */
static bool ends_session(const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (!severity) /* poolers */
        severity = PQresultErrorField(r, PG_DIAG_SEVERITY);
    return severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
}

static enum fail_kind kind_of(const struct connection *c, const PGresult *r, const char *state)
{
    if (c->is_lost || PQstatus(c->pg) == CONNECTION_BAD || ends_session(r))
        return FAIL_CONNECTION;
    if (strcmp(state, "55P03") == 0)
        return FAIL_LOCK_TIMEOUT;
    if (strcmp(state, "40P01") == 0 || strcmp(state, "40001") == 0)
        return FAIL_DEADLOCK;
    return strcmp(state, "57014") == 0 ? FAIL_CANCELLED : FAIL_SERVER;
}

const char *pgdrv_sqlstate(const PGresult *r)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "";
}

bool pgdrv_has_sqlstate(const PGresult *r, const char *sqlstate)
{
    return strcmp(pgdrv_sqlstate(r), sqlstate) == 0;
}

static void add_hint_of_kind(struct fail *f)
{
    switch (f->kind) {
    case FAIL_LOCK_TIMEOUT:
        (void)fail_hint(f, "Another session holds a lock that this statement needs.");
        break;
    case FAIL_CONNECTION:
        (void)fail_hint(f, "Nothing of the open transaction was applied; run again when the server "
                           "is reachable.");
        break;
    case FAIL_OTHER:
    case FAIL_SERVER:
    case FAIL_TABLES_HELD:
    case FAIL_DEADLOCK:
    case FAIL_COMMIT_UNKNOWN:
    case FAIL_CANCELLED:
    case FAIL_HISTORY_MOVED:
    case FAIL_NOT_FOUND:
        break;
    }
}

bool pgdrv_fail_lost(struct connection *c, struct fail *f)
{
    struct str first = {0};
    bool was_set = fail_is_set(f);

    c->is_lost = true;
    (void)str_cut_line(str_of(c->pg ? PQerrorMessage(c->pg) : ""), &first);
    if (was_set)
        return false;
    (void)fail_set(f, EXIT_FAILED, "the connection to the server was lost%s%.*s",
                   first.len ? ": " : "", STR_ARG(first));
    (void)fail_kind_set(f, FAIL_CONNECTION);
    add_hint_of_kind(f);
    return false;
}

bool pgdrv_fail_forgotten(struct fail *f)
{
    (void)fail_set(f, EXIT_FAILED,
                   "the connection was lost and made anew, without the settings "
                   "that earlier statements had made");
    (void)fail_kind_set(f, FAIL_CONNECTION);
    return fail_hint(f, "Run again: it goes on behind the last committed step.");
}

bool pgdrv_fail_result(struct connection *c, const PGresult *r, struct fail *f)
{
    const char *state = pgdrv_sqlstate(r);
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    if (fail_is_set(f))
        return false;
    if (!*state || !message) {
        if (c->is_lost || PQstatus(c->pg) == CONNECTION_BAD)
            return pgdrv_fail_lost(c, f);
        struct str first;
        (void)str_cut_line(str_of(PQresultErrorMessage(r)), &first);
        return fail_set(f, EXIT_FAILED, "%.*s", STR_ARG(first));
    }
    (void)fail_set(f, EXIT_FAILED, "%s", message);
    (void)fail_kind_set(f, kind_of(c, r, state));
    if (f->kind == FAIL_CANCELLED)
        (void)pgdrv_await_cancel();
    (void)snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", state);
    const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);
    const char *where = PQresultErrorField(r, PG_DIAG_CONTEXT);
    const char *inner = PQresultErrorField(r, PG_DIAG_INTERNAL_QUERY);
    if (detail)
        (void)fail_detail(f, "%s", detail);
    if (hint)
        (void)fail_hint(f, "%s", hint);
    else
        add_hint_of_kind(f);
    if (inner)
        (void)fail_wrap(f, "while executing: %s", inner);
    if (where)
        (void)fail_wrap(f, "%s", where);
    return false;
}

size_t pgdrv_error_offset(const PGresult *r, struct str sql)
{
    const char *position = r ? PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION) : NULL;
    uint64_t character = 0;

    /* "an index … measured in characters not bytes", from 1: libpq-exec. */
    if (!position || !str_to_u64(str_of(position), &character) || character == 0)
        return SIZE_MAX;
    return text_offset_of_character(sql, (size_t)character - 1);
}

void pgdrv_notice(void *context, const PGresult *r)
{
    struct connection *c = context;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(r, PG_DIAG_MESSAGE_HINT);

    if (c->is_quiet || !message)
        return;
    bool is_warning = severity && strcmp(severity, "WARNING") == 0;
    if (c->in_unit && c->unit.hides_notices && !is_warning)
        return;
    log_line(is_warning ? LOG_WARN : LOG_NOTE, "%s%s%s%s%s%s", message, detail ? "; " : "",
             detail ? detail : "", hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
}
