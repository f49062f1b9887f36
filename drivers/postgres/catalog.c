/*
 * The catalog in one round trip: every query of sql/catalog_*.sql in one pipeline and one transaction that
 * sees one moment. What may be missing (sizes, definitions, statistics: they look into the relations, or
 * want a right) has a savepoint each, and its failure is a sentence in left_out.
 */
#include "drivers/postgres/catalog_load.h"

#include "core/base/clock.h"
#include "core/base/vec.h"
#include "sql.h"

struct question {
    const char *sql;
    catalog_taker *take;
    uint32_t since;     /* server version; 0: always */
    const char *missed; /* what is left out where it fails; NULL: everything */
};

/* In an order in which each refers to those above it only. */
static const struct question questions[] = {
    {sql_postgres_catalog_settings, take_settings, 0, NULL},
    {sql_postgres_catalog_limits, NULL, 0, NULL},
    {sql_postgres_catalog_schemas, take_schemas, 0, NULL},
    {sql_postgres_catalog_relations, take_relations, 0, NULL},
    {sql_postgres_catalog_types, take_types, 0, NULL},
    {sql_postgres_catalog_labels, take_labels, 0, NULL},
    {sql_postgres_catalog_domain_constraints, take_domain_constraints, 0, NULL},
    {sql_postgres_catalog_columns, take_columns, 0, NULL},
    {sql_postgres_catalog_partition_keys, take_partition_keys, 0, NULL},
    {sql_postgres_catalog_inheritance, take_inheritance, 0, NULL},
    {sql_postgres_catalog_detaching, take_detaching, 140000, NULL},
    {sql_postgres_catalog_sequences, take_sequences, 0, NULL},
    {sql_postgres_catalog_indexes, take_indexes, 0, NULL},
    {sql_postgres_catalog_indexes_15, take_index_flags, 150000, NULL},
    {sql_postgres_catalog_index_keys, take_index_keys, 0, NULL},
    {sql_postgres_catalog_constraints, take_constraints, 0, NULL},
    {sql_postgres_catalog_constraints_18, take_constraint_flags, 180000, NULL},
    {sql_postgres_catalog_functions, take_functions, 0, NULL},
    {sql_postgres_catalog_function_uses, take_function_uses, 140000, NULL},
    {sql_postgres_catalog_triggers, take_triggers, 0, NULL},
    {sql_postgres_catalog_rules, take_rules, 0, NULL},
    {sql_postgres_catalog_policies, take_policies, 0, NULL},
    {sql_postgres_catalog_uses, take_uses, 0, NULL},
    {sql_postgres_catalog_objects, take_objects, 0, NULL},
    {sql_postgres_catalog_publications, take_publications, 0, NULL},
    {sql_postgres_catalog_published, take_published, 0, NULL},
    {sql_postgres_catalog_published_15, take_published_schemas, 150000, NULL},
    {sql_postgres_catalog_statistics, take_statistics, 0, NULL},
    {sql_postgres_catalog_sizes, take_sizes, 0, "sizes"},
    {sql_postgres_catalog_definitions, take_definitions, 0, "texts of views and rules"},
    {sql_postgres_catalog_table_usage, take_table_usage, 0, "how tables are used"},
    {sql_postgres_catalog_index_usage, take_index_usage, 0, "how indexes are used"},
    {sql_postgres_catalog_column_statistics, take_column_statistics, 0, "statistics of columns"},
    {sql_postgres_catalog_transactions, take_transactions, 0, "transactions that are open"},
};

#define BEGIN_READING STR("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

static bool is_asked(const struct question *q, uint32_t version)
{
    return version >= q->since;
}

static bool send_text(struct connection *c, struct str sql, struct fail *f)
{
    return pgdrv_pipeline_send_text(c, sql, f);
}

/* A question that may fail is between a savepoint and its end; the end stands behind a sync, so that it is
   done in any case. */
static bool send_question(struct connection *c, const struct question *q, struct fail *f)
{
    if (!q->missed)
        return send_text(c, str_of(q->sql), f);
    return send_text(c, STR("SAVEPOINT optional"), f) && send_text(c, str_of(q->sql), f) &&
           pgdrv_pipeline_sync(c, f) && send_text(c, STR("ROLLBACK TO SAVEPOINT optional"), f);
}

static bool send_all(struct connection *c, uint32_t version, struct fail *f)
{
    if (!send_text(c, BEGIN_READING, f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        if (is_asked(&questions[i], version) && !send_question(c, &questions[i], f))
            return false;
    }
    return pgdrv_pipeline_sync(c, f) && send_text(c, STR("ROLLBACK"), f) &&
           pgdrv_pipeline_sync(c, f);
}

static void leave_out(struct catalog_load *l, const char *what, const PGresult *r)
{
    struct str why = str_of(PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
    struct str sentence = str_of(arena_printf(l->a, "%s: %.*s", what, STR_ARG(why)));
    vec_push(l->a, &l->catalog->left_out, sentence);
}

/* One answer: taken, or (optional ones) told as left out. */
static bool take_answer(struct catalog_load *l, struct connection *c, const struct question *q,
                        struct fail *f)
{
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
    if (!r)
        return false;
    if (PQresultStatus(r) == PGRES_TUPLES_OK) {
        if (q->take)
            q->take(l, r);
        return true;
    }
    if (!q->missed)
        return pgdrv_fail_result(c, r, f);
    leave_out(l, q->missed, r);
    return true;
}

static bool receive_question(struct catalog_load *l, struct connection *c, const struct question *q,
                             struct fail *f)
{
    if (!q->missed)
        return take_answer(l, c, q, f);
    return pgdrv_pipeline_expect(c, f) && take_answer(l, c, q, f) &&
           pgdrv_pipeline_expect(c, f) && /* the sync */
           pgdrv_pipeline_expect(c, f);
}

static bool receive_all(struct catalog_load *l, struct connection *c, struct fail *f)
{
    if (!pgdrv_pipeline_expect(c, f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        if (is_asked(&questions[i], l->catalog->server_version) &&
            !receive_question(l, c, &questions[i], f))
            return false;
    }
    return true;
}

static bool ask_all(struct catalog_load *l, struct connection *c, struct fail *f)
{
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = send_all(c, l->catalog->server_version, f) && receive_all(l, c, f);
    pgdrv_pipeline_leave(c);
    return is_done;
}

/* The view's schema is known only now: a second round trip, where it is there. */
static bool read_queries(struct catalog_load *l, struct connection *c, struct fail *f)
{
    static const struct question about = {NULL, take_queries, 0, "queries of the application"};
    const struct catalog_object *extension = NULL;
    for (size_t i = 0; i < l->catalog->objects.count; i++) {
        const struct catalog_object *o = l->catalog->objects.at[i];
        if (strcmp(o->kind, "EXTENSION") == 0 && str_equal(o->name, STR("pg_stat_statements")))
            extension = o;
    }
    if (!extension)
        return true;
    const char *schema = pgdrv_quote_identifier(l->scratch, extension->schema);
    struct str before;
    struct str after = str_cut(str_of(sql_postgres_catalog_queries), '\n', &before);
    size_t at = str_find(after, STR("{extension}"));
    const char *sql = arena_printf(l->scratch, "%.*s%s%s", (int)at, after.at, schema,
                                   after.at + at + strlen("{extension}"));
    if (!pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done =
        send_text(c, BEGIN_READING, f) && send_text(c, str_of(sql_postgres_catalog_limits), f) &&
        send_text(c, str_of(sql), f) && pgdrv_pipeline_sync(c, f) &&
        send_text(c, STR("ROLLBACK"), f) && pgdrv_pipeline_sync(c, f) &&
        pgdrv_pipeline_expect(c, f) && pgdrv_pipeline_expect(c, f) && take_answer(l, c, &about, f);
    pgdrv_pipeline_leave(c);
    return is_done;
}

struct catalog *pgdrv_read_catalog(struct arena *a, struct connection *c, struct fail *f)
{
    SCOPED(arena) struct arena *scratch = arena_make();
    if (!pgdrv_session_ensure(c, f))
        return NULL;
    struct catalog_load l = {
        .a = a,
        .scratch = scratch,
        .catalog = catalog_make(a),
        .oids = oid_table_make(scratch),
    };
    l.catalog->source = CATALOG_LIVE;
    l.catalog->is_complete = true;
    l.catalog->server_version = (uint32_t)PQserverVersion(c->pg);
    l.catalog->database = arena_str(a, str_of(c->database));
    l.catalog->taken_at = str_of(clock_iso(a, clock_wall_us() + c->clock_offset_us));
    if (!ask_all(&l, c, f) || !read_queries(&l, c, f))
        return NULL;
    catalog_link_triggers(l.catalog);
    catalog_settle_rows(l.catalog);
    return l.catalog;
}
