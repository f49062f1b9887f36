/*
 * Copies for rehearsals. What we make carries a comment that says what it is, and a copy that somebody else
 * made must carry it too: a database without it is never written to.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "sql.h"

#define APPLICATION "migrate rehearse"

struct made {
    bool has_server, has_database;
    struct pgdrv_private_server server; /* has_server */
    struct pgdrv_place admin;           /* has_database: another database of the same server */
    const char *database;
};

static void tell(const struct copy_request *r, const char *what)
{
    if (r->tell)
        r->tell(r->context, what);
}

static void note_part(struct arena *a, struct copy *out, const char *name, int64_t since_us)
{
    struct copy_part part = {.name = name, .duration_us = clock_monotonic_us() - since_us};
    vec_push(a, &out->parts, part);
}

/* One command of ours on a connection of its own. */
static bool command(const struct pgdrv_place *at, const char *sql, struct fail *f)
{
    PGconn *pg = pgdrv_place_connect(at, APPLICATION, f);
    if (!pg)
        return false;
    PGresult *r = pgdrv_place_ask(pg, sql, f);
    bool is_done = r != NULL;
    PQclear(r);
    PQfinish(pg);
    return is_done;
}

/* ---- a database ---- */

static bool create_database(struct arena *a, const struct copy_request *r, struct made *made,
                            struct fail *f)
{
    bool is_template = r->source->kind == COPY_TEMPLATE;
    const char *from = is_template ? pgdrv_quote_identifier(a, r->source->from) : "template0";
    const char *name = pgdrv_quote_identifier(a, str_of(made->database));
    if (!command(&made->admin, arena_printf(a, "CREATE DATABASE %s TEMPLATE %s", name, from), f)) {
        if (is_template && strcmp(f->sqlstate, "55006") == 0)
            fail_hint(f, "Nobody may be connected to a template while it is copied.");
        return fail_wrap(f, "while the database for the copy was made on %s",
                         made->admin.target.safe);
    }
    made->has_database = true;
    return command(&made->admin,
                   arena_printf(a, "COMMENT ON DATABASE %s IS '%s'", name, COPY_MARKER), f);
}

static bool measure(struct arena *a, const struct pgdrv_place *place, struct copy *out,
                    struct fail *f)
{
    PGconn *pg = pgdrv_place_connect(place, APPLICATION, f);
    if (!pg)
        return false;
    int64_t since_us = clock_monotonic_us();
    /* A restored database has no statistics, and a plan over it would be another one. */
    PGresult *analyzed = out->kind == COPY_DUMP ? pgdrv_place_ask(pg, "ANALYZE", f) : NULL;
    bool is_done = out->kind != COPY_DUMP || analyzed;
    if (analyzed)
        note_part(a, out, "analyze", since_us);
    PGresult *size = is_done ? pgdrv_place_ask(pg, sql_postgres_rehearsal_size, f) : NULL;
    if (size)
        out->bytes = pgdrv_value_i64(size, 0, 0);
    is_done = is_done && size;
    PQclear(analyzed);
    PQclear(size);
    PQfinish(pg);
    return is_done;
}

static bool fill_database(struct arena *a, const struct copy_request *r, struct made *made,
                          const struct pgdrv_place *place, struct copy *out, struct fail *f)
{
    int64_t since_us = clock_monotonic_us();
    tell(r, arena_printf(a, r->source->kind == COPY_DUMP ? "restoring %.*s" : "copying %.*s",
                         STR_ARG(r->source->from)));
    if (!create_database(a, r, made, f))
        return false;
    if (r->source->kind == COPY_DUMP && !pgdrv_restore(a, r, place, &out->roles_missing, f))
        return false;
    note_part(a, out, r->source->kind == COPY_DUMP ? "restore" : "copy", since_us);
    return measure(a, place, out, f);
}

/* ---- the whole ---- */

static bool find_server(struct arena *a, const struct copy_request *r, struct made *made,
                        struct copy *out, struct str *server, struct fail *f)
{
    *server = r->source->server;
    if (server->len)
        return true;
    if (r->source->kind == COPY_TEMPLATE) {
        fail_set(f, EXIT_USAGE, "it is not said on which server the template is");
        return fail_hint(f, "Name it: rehearsal.server in migrator.yml, or --server URL.");
    }
    int64_t since_us = clock_monotonic_us();
    tell(r, "starting a private server");
    if (!pgdrv_private_start(a, r, &made->server, f))
        return false;
    made->has_server = true;
    note_part(a, out, "server", since_us);
    *server = str_of(made->server.url);
    return true;
}

static bool make_database(struct arena *a, const struct copy_request *r, struct copy *out,
                          struct fail *f)
{
    struct made *made = out->made;
    struct pgdrv_place place;
    struct str server;
    made->database = r->name;
    if (!find_server(a, r, made, out, &server, f) ||
        !pgdrv_place_of_url(a, server, "postgres", &made->admin, f) ||
        !pgdrv_place_of_url(a, server, r->name, &place, f) ||
        !fill_database(a, r, made, &place, out, f))
        return false;
    out->url = str_of(place.conninfo);
    struct target_url shown;
    if (!target_url_parse(a, out->url, ENGINE_POSTGRES, &shown, f))
        return false;
    out->safe_url = shown.safe;
    out->fidelity = out->kind == COPY_DUMP ? FIDELITY_LOGICAL : FIDELITY_PHYSICAL;
    out->made_at_us = out->kind == COPY_DUMP ? pgdrv_dump_time(r->source->from) : clock_wall_us();
    return true;
}

static bool take_url(struct arena *a, const struct copy_request *r, struct copy *out,
                     struct fail *f)
{
    struct pgdrv_place place;
    if (!pgdrv_place_of_url(a, r->source->from, NULL, &place, f) || !measure(a, &place, out, f))
        return false;
    out->url = r->source->from;
    out->safe_url = out->from = place.target.safe;
    return true;
}

static void dispose(struct copy *copy)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct made *made = copy->made;
    copy->made = NULL;
    if (!made)
        return;
    if (made->has_server) {
        pgdrv_private_stop(&made->server);
    } else if (made->has_database) {
        const char *name = pgdrv_quote_identifier(a, str_of(made->database));
        /* Who is connected to a copy that goes is sent away: 13 and later can. */
        if (!command(&made->admin, arena_printf(a, "DROP DATABASE %s WITH (FORCE)", name),
                     &ignored)) {
            fail_clear(&ignored);
            if (!command(&made->admin, arena_printf(a, "DROP DATABASE %s", name), &ignored))
                log_line(LOG_WARN, "the copy stays (%s): drop it, on %s: DROP DATABASE %s",
                         ignored.message, made->admin.target.safe, name);
        }
    }
}

static bool make_copy(struct arena *a, const struct copy_request *r, struct copy *out,
                      struct fail *f)
{
    *out = (struct copy){.kind = r->source->kind, .from = arena_cstr(a, r->source->from)};
    if (r->source->kind == COPY_URL)
        return take_url(a, r, out, f);
    out->made = arena_new(a, struct made);
    bool is_made = make_database(a, r, out, f);
    if (!is_made)
        dispose(out);
    return is_made;
}

/* ---- is it one? ---- */

/* Where a connection leads: server, database, comment. The times of two servers are never the same. */
static bool read_place(struct arena *a, struct connection *c, struct str out[3], struct fail *f)
{
    if (!pgdrv_session_ensure(c, f))
        return false;
    SCOPED(pg_result)
    PGresult *r = pgdrv_ask(c, &(struct pgdrv_query){.sql = sql_postgres_rehearsal_place}, f);
    for (int i = 0; r && i < 3; i++)
        out[i] = arena_str(a, pgdrv_value(r, 0, i));
    return r != NULL;
}

static bool prove_copy(struct arena *a, const struct copy *copy, struct connection *target,
                       struct connection *connection, bool *out_shares_server, struct fail *f)
{
    struct str production[3], here[3];
    if (!read_place(a, target, production, f) || !read_place(a, connection, here, f))
        return false;
    *out_shares_server = str_equal(production[0], here[0]);
    if (*out_shares_server && str_equal(production[1], here[1])) {
        fail_set(f, EXIT_USAGE, "the copy is the target itself: %s", copy->safe_url);
        return fail_hint(f, "Rehearsals are for copies: give a dump, a template, or a clone.");
    }
    if (str_starts(here[2], STR(COPY_MARKER)))
        return true;
    fail_set(f, EXIT_USAGE, "nothing says that %s is a copy that may be written to",
             copy->safe_url);
    return fail_hint(f, "If it is one, say so there: COMMENT ON DATABASE %s IS '%s';",
                     pgdrv_quote_identifier(a, here[1]), COPY_MARKER);
}

const struct rehearsal_driver pgdrv_rehearsal = {
    .make_copy = make_copy,
    .dispose = dispose,
    .prove_copy = prove_copy,
    .observe = pgdrv_observe,
    .look = pgdrv_look,
    .observe_end = pgdrv_observe_end,
};
