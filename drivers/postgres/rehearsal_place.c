/* A connection string in its parts, so that another database of the same server can be named. */
#include "drivers/postgres/rehearsal.h"

#include "core/base/vec.h"

/* What programs of PostgreSQL take from the environment, and we have said or do not want. */
static const char *const misleading[] = {"PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGOPTIONS",
                                         "PGTARGETSESSIONATTRS"};

struct text_vec {
    const char **at;
    size_t count, room;
};

static void add_parameter(struct arena *a, struct buf *conninfo, struct text_vec *env,
                          const PQconninfoOption *o, const char *value)
{
    buf_printf(conninfo, "%s%s='", conninfo->len ? " " : "", o->keyword);
    for (const char *c = value; *c; c++) {
        if (*c == '\'' || *c == '\\')
            buf_add_char(conninfo, '\\');
        buf_add_char(conninfo, *c);
    }
    buf_add_char(conninfo, '\'');
    if (o->envvar)
        vec_push(a, env, arena_printf(a, "%s=%s", o->envvar, value));
}

static bool refuse_library(const char *why, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "%s", why);
    return fail_hint(f, "Install PostgreSQL's client library (Debian: libpq5).");
}

bool pgdrv_place_of_url(struct arena *a, struct str url, const char *database,
                        struct pgdrv_place *out, struct fail *f)
{
    SCOPED(buf) struct buf conninfo = {0};
    struct text_vec env = {0};
    bool has_database = false, has_address = false;
    const char *why = libpq_load();
    *out = (struct pgdrv_place){0};
    if (why)
        return refuse_library(why, f);
    if (!target_url_parse(a, url, ENGINE_POSTGRES, &out->target, f))
        return false;
    if (out->target.engine != ENGINE_POSTGRES)
        return fail_set(f, EXIT_USAGE, "%s is not PostgreSQL", out->target.safe);
    PQconninfoOption *options = PQconninfoParse(out->target.conninfo, NULL);
    if (!options)
        return fail_set(f, EXIT_USAGE, "libpq does not understand the connection string of %s",
                        out->target.safe);
    for (PQconninfoOption *o = options; o->keyword; o++) {
        bool is_database = strcmp(o->keyword, "dbname") == 0;
        const char *value = is_database && database ? database : o->val;
        if (!value || !value[0])
            continue;
        has_database |= is_database;
        has_address |= strcmp(o->keyword, "hostaddr") == 0;
        if (is_database)
            out->database = arena_cstr(a, str_of(value));
        add_parameter(a, &conninfo, &env, o, value);
    }
    PQconninfoFree(options);
    /* The environment must not lead elsewhere: a host that is named here is the one that is meant. */
    if (!has_address)
        buf_add_cstr(&conninfo, " hostaddr=''");
    for (size_t i = 0; i < ARRAY_LEN(misleading); i++)
        vec_push(a, &env, misleading[i]);
    vec_push(a, &env, NULL);
    out->conninfo = buf_done(a, &conninfo).at;
    out->database = has_database ? out->database : "";
    out->env = env.at;
    return true;
}

PGconn *pgdrv_place_connect(const struct pgdrv_place *p, const char *application_name,
                            struct fail *f)
{
    const char *keys[] = {"dbname", "application_name", "client_encoding", "connect_timeout", NULL};
    const char *values[] = {p->conninfo, application_name, "UTF8", "15", NULL};
    PGconn *pg = pgdrv_dial(&p->target, keys, values, f);
    if (!pg)
        return NULL;
    /* Limits of the role or the database would cut short what is to be seen. */
    PGresult *r = pgdrv_place_ask(
        pg, "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_session_timeout = 0", f);
    if (!r && strcmp(f->sqlstate, "42704") == 0) { /* idle_session_timeout came with 14 */
        fail_clear(f);
        r = pgdrv_place_ask(pg, "SET lock_timeout = 0; SET statement_timeout = 0", f);
    }
    PQclear(r);
    if (r)
        return pg;
    PQfinish(pg);
    return NULL;
}

PGresult *pgdrv_place_ask(PGconn *pg, const char *sql, struct fail *f)
{
    PGresult *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return r;
    const char *state = pgdrv_sqlstate(r);
    (void)fail_set(f, EXIT_FAILED, "%.*s", STR_ARG(str_trim(str_of(PQerrorMessage(pg)))));
    (void)fail_kind_set(f, PQstatus(pg) == CONNECTION_OK ? FAIL_SERVER : FAIL_CONNECTION);
    (void)snprintf(f->sqlstate, sizeof(f->sqlstate), "%s", state);
    PQclear(r);
    return NULL;
}
