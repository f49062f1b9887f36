/*
 * What `migrate doctor` looks at: every query of sql/examine_*.sql in one pipeline and one transaction that
 * only reads, each behind a savepoint, so that what a right is missing for takes nothing else along.
 */
#include "drivers/postgres/connection.h"

#include "core/base/vec.h"
#include "sql.h"

struct question {
    enum check check;
    const char *sql;
    uint32_t since;   /* server version; 0: always */
    bool has_history; /* $1 is the schema of the history */
};

static const struct question questions[] = {
    {CHECK_SERVER, sql_postgres_examine_server, 0, false},
    {CHECK_RIGHTS, sql_postgres_examine_rights, 0, true},
    {CHECK_OWNERSHIP, sql_postgres_examine_ownership, 0, true},
    {CHECK_SETTINGS, sql_postgres_examine_settings, 0, false},
    {CHECK_TRANSACTIONS, sql_postgres_examine_transactions, 0, false},
    {CHECK_INDEXES, sql_postgres_examine_indexes, 0, false},
    {CHECK_CONSTRAINTS, sql_postgres_examine_constraints, 0, false},
    {CHECK_PARTITIONS, sql_postgres_examine_partitions, 140000, false},
    {CHECK_SEQUENCES, sql_postgres_examine_sequences, 0, false},
    {CHECK_WRAPAROUND, sql_postgres_examine_wraparound, 0, false},
};

/* Columns that all have, and those of questions about objects. */
enum { SUBJECT, OWNER, STATE, TEXT, NUMBER, SCHEMA, NAME, TABLE, IS_ONLY_OF_NAME };

static bool is_asked(const struct connection *c, const struct question *q)
{
    return (uint32_t)PQserverVersion(c->pg) >= q->since;
}

static bool send_question(struct connection *c, const struct question *q, struct fail *f)
{
    const char *values[] = {arena_cstr(c->arena, c->history_name)};
    static const Oid types[] = {OID_TEXT};
    struct pgdrv_query query = {
        .sql = q->sql, .count = q->has_history ? 1 : 0, .values = values, .types = types};
    return pgdrv_pipeline_send_text(c, STR("SAVEPOINT one"), f) &&
           pgdrv_pipeline_send(c, &query, f) && pgdrv_pipeline_sync(c, f) &&
           pgdrv_pipeline_send_text(c, STR("ROLLBACK TO SAVEPOINT one"), f);
}

static bool send_all(struct connection *c, struct fail *f)
{
    if (!pgdrv_pipeline_send_text(c, STR("BEGIN READ ONLY"), f) ||
        !pgdrv_pipeline_send_text(c, str_of(sql_postgres_catalog_limits), f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        if (is_asked(c, &questions[i]) && !send_question(c, &questions[i], f))
            return false;
    }
    return pgdrv_pipeline_sync(c, f) && pgdrv_pipeline_send_text(c, STR("ROLLBACK"), f) &&
           pgdrv_pipeline_sync(c, f);
}

static const char *cell(struct arena *a, const PGresult *r, int row, int column)
{
    return column < PQnfields(r) ? arena_cstr(a, pgdrv_value(r, row, column)) : "";
}

static void take_row(struct arena *a, const PGresult *r, int row, enum check check,
                     struct examination *out)
{
    struct sighting o = {
        .check = check,
        .subject = cell(a, r, row, SUBJECT),
        .owner = cell(a, r, row, OWNER),
        .state = cell(a, r, row, STATE),
        .text = cell(a, r, row, TEXT),
        .number = pgdrv_value_i64(r, row, NUMBER),
        .schema = cell(a, r, row, SCHEMA),
        .name = cell(a, r, row, NAME),
        .table = cell(a, r, row, TABLE),
        .is_only_of_name = strcmp(cell(a, r, row, IS_ONLY_OF_NAME), "t") == 0,
    };
    vec_push(a, out, o);
}

static bool take_answer(struct arena *a, struct connection *c, enum check check,
                        struct examination *out, struct fail *f)
{
    SCOPED(pg_result) PGresult *r = pgdrv_pipeline_next(c, f);
    if (!r)
        return false;
    out->is_made[check] = true;
    if (PQresultStatus(r) != PGRES_TUPLES_OK) {
        out->missed[check] = arena_cstr(a, str_of(PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY)));
        return true;
    }
    for (int row = 0; row < PQntuples(r); row++)
        take_row(a, r, row, check, out);
    return true;
}

static bool receive_all(struct arena *a, struct connection *c, struct examination *out,
                        struct fail *f)
{
    if (!pgdrv_pipeline_expect(c, f) || !pgdrv_pipeline_expect(c, f))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
        if (!is_asked(c, &questions[i]))
            continue;
        if (!pgdrv_pipeline_expect(c, f) || !take_answer(a, c, questions[i].check, out, f) ||
            !pgdrv_pipeline_expect(c, f) || /* the sync */
            !pgdrv_pipeline_expect(c, f))
            return false;
    }
    return true;
}

static bool take_holder(struct arena *a, struct connection *c, struct examination *out,
                        struct fail *f)
{
    struct lock_holder holder;
    if (!pgdrv_find_holder(a, c, &holder, f))
        return false;
    out->is_made[CHECK_RUN_LOCK] = true;
    if (holder.who && !c->has_lock)
        vec_push(a, out,
                 ((struct sighting){.check = CHECK_RUN_LOCK,
                                    .subject = holder.who,
                                    .text = holder.doing ? holder.doing : ""}));
    return true;
}

bool pgdrv_examine(struct arena *a, struct connection *c, struct examination *out, struct fail *f)
{
    *out = (struct examination){0};
    if (!pgdrv_session_ensure(c, f) || !pgdrv_pipeline_enter(c, f))
        return false;
    bool is_done = send_all(c, f) && receive_all(a, c, out, f);
    pgdrv_pipeline_leave(c);
    return is_done && take_holder(a, c, out, f);
}

bool pgdrv_index_made_between(struct connection *c, int64_t oid, int64_t from_event,
                              int64_t to_event, bool *out, struct fail *f)
{
    const int64_t numbers[] = {oid, from_event, to_event};
    static const Oid types[] = {OID_INT8, OID_INT8, OID_INT8};
    char texts[ARRAY_LEN(numbers)][24];
    const char *values[ARRAY_LEN(numbers)];

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        (void)snprintf(texts[i], sizeof(texts[i]), "%lld", (long long)numbers[i]);
        values[i] = texts[i];
    }
    if (!pgdrv_session_ensure(c, f))
        return false;
    struct pgdrv_query query = {.sql = pgdrv_sql(c, sql_postgres_examine_made_between),
                                .count = ARRAY_LEN(numbers),
                                .values = values,
                                .types = types};
    SCOPED(pg_result) PGresult *r = pgdrv_ask(c, &query, f);
    if (!r)
        return false;
    *out = str_equal(pgdrv_value(r, 0, 0), STR("t"));
    return true;
}
