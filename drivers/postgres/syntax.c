/*
 * Whether the server's grammar knows a statement, without the rest of it. In a transaction that has failed
 * the server still reads the text of a Parse message, since it might be a ROLLBACK, and refuses it right
 * behind that (25P02), before it looks any name up (postgres.c, exec_parse_message()). So nothing is locked,
 * waited for or run, and any other error is that of the grammar. 12, 15 and 18 were asked.
 */
#include "drivers/postgres/connection.h"

/* The name is what the server's log shows. */
#define FAIL_ON_PURPOSE STR("ROLLBACK TO SAVEPOINT migrate_only_asks_whether_the_syntax_is_known")
#define SQLSTATE_IN_FAILED_TRANSACTION "25P02"

static bool send(struct connection *c, const char *text, struct fail *f)
{
    return pgdrv_pipeline_send_text(c, STR("BEGIN READ ONLY"), f) &&
           pgdrv_pipeline_send_text(c, FAIL_ON_PURPOSE, f) && pgdrv_pipeline_sync(c, f) &&
           pgdrv_pipeline_prepare(c, "", text, 0, NULL, f) && pgdrv_pipeline_sync(c, f) &&
           pgdrv_pipeline_send_text(c, STR("ROLLBACK"), f) && pgdrv_pipeline_sync(c, f);
}

static void take(struct arena *a, const PGresult *r, struct str text, struct syntax_verdict *out)
{
    if (PQresultStatus(r) == PGRES_COMMAND_OK ||
        pgdrv_has_sqlstate(r, SQLSTATE_IN_FAILED_TRANSACTION)) {
        out->answer = SYNTAX_TAKEN;
        return;
    }
    const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!message)
        return;
    out->answer = SYNTAX_REFUSED;
    out->message = arena_cstr(a, str_of(message));
    out->offset = pgdrv_error_offset(r, text);
}

static bool receive(struct arena *a, struct connection *c, struct str text,
                    struct syntax_verdict *out, struct fail *f)
{
    if (!pgdrv_pipeline_expect(c, f)) /* BEGIN */
        return false;
    enum { FAILURE, ITS_SYNC, ANSWER };
    for (int i = FAILURE; i <= ANSWER; i++) {
        SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
        if (!r)
            return false;
        if (i == ANSWER)
            take(a, r, text, out);
    }
    return true;
}

bool pgdrv_check_syntax(struct arena *a, struct connection *c, struct str text,
                        struct syntax_verdict *out, struct fail *f)
{
    *out = (struct syntax_verdict){.offset = SIZE_MAX};
    if (!pgdrv_session_ensure(c, f) || !pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = send(c, arena_cstr(a, text), f) && receive(a, c, text, out, f);
    pgdrv_pipeline_leave(c);
    return is_done;
}
