/* The tables are sorted bytewise, one row a line: the rows of a key are neighbours. */
#include "planner/postgres/facts.h"

#include "facts_text.h"
#include "planner/postgres/effects.h"

#include <pthread.h>

struct fact_text {
    const char *at;
    const size_t *len;
    size_t column_count; /* with the two of the versions; the extension is the one before them */
};

static const struct fact_text texts[FACT_TABLE_MAX] = {
    [FACT_FUNCTIONS] = {facts_postgres_functions, &facts_postgres_functions_len, 12},
    [FACT_OPERATORS] = {facts_postgres_operators, &facts_postgres_operators_len, 8},
    [FACT_TYPES] = {facts_postgres_types, &facts_postgres_types_len, 13},
    [FACT_CASTS] = {facts_postgres_casts, &facts_postgres_casts_len, 9},
    [FACT_OPCLASSES] = {facts_postgres_opclasses, &facts_postgres_opclasses_len, 9},
};

struct fact_row {
    struct fact fact;
    uint64_t from, to; /* versions; from above to: the row says none */
};

/* Made once, as long as the process. */
struct fact_rows {
    struct arena *arena;
    struct fact_row *at; /* sorted by the first column, as the text is */
    size_t count;
    uint32_t *first; /* by the first column's hash: number + 1 of its first row; 0: nothing */
    size_t slots;    /* of it: a power of two */
};

static struct fact_rows all_rows[FACT_TABLE_MAX];
static pthread_once_t all_once[FACT_TABLE_MAX] = {
    [0 ... FACT_TABLE_MAX - 1] = PTHREAD_ONCE_INIT,
};

static size_t hash_of(struct str key)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.at[i]) * 1099511628211U;
    return (size_t)(hash ^ hash >> 32);
}

/* Where the key's first row is noted, or is to be. */
static uint32_t *slot_of(const struct fact_rows *rows, struct str key)
{
    size_t slot = hash_of(key) & (rows->slots - 1);
    while (rows->first[slot] && !str_equal(rows->at[rows->first[slot] - 1].fact.column[0], key))
        slot = (slot + 1) & (rows->slots - 1);
    return &rows->first[slot];
}

static void cut_row(struct fact_row *row, struct str line, size_t column_count)
{
    for (size_t i = 0; i < column_count; i++)
        line = str_cut(line, '\t', &row->fact.column[i]);
    if (!str_to_u64(row->fact.column[column_count - 2], &row->from) ||
        !str_to_u64(row->fact.column[column_count - 1], &row->to))
        row->from = UINT64_MAX;
}

static void make_rows(enum fact_table table)
{
    const struct str text = {texts[table].at, *texts[table].len};
    struct fact_rows *rows = &all_rows[table];
    struct str line;
    for (struct str rest = text; rest.len; rest = str_cut_line(rest, &line))
        rows->count++;
    for (rows->slots = 16; rows->slots < rows->count * 2;)
        rows->slots *= 2;
    rows->arena = arena_make();
    rows->at = arena_array(rows->arena, struct fact_row, rows->count + 1);
    rows->first = arena_array(rows->arena, uint32_t, rows->slots);
    struct str rest = text;
    for (size_t i = 0; i < rows->count; i++) {
        rest = str_cut_line(rest, &line);
        cut_row(&rows->at[i], line, texts[table].column_count);
        uint32_t *slot = slot_of(rows, rows->at[i].fact.column[0]);
        if (!*slot)
            *slot = (uint32_t)i + 1;
    }
}

static void make_functions(void)
{
    make_rows(FACT_FUNCTIONS);
}
static void make_operators(void)
{
    make_rows(FACT_OPERATORS);
}
static void make_types(void)
{
    make_rows(FACT_TYPES);
}
static void make_casts(void)
{
    make_rows(FACT_CASTS);
}
static void make_opclasses(void)
{
    make_rows(FACT_OPCLASSES);
}

static const struct fact_rows *rows_of(enum fact_table table)
{
    static void (*const make[FACT_TABLE_MAX])(void) = {
        [FACT_FUNCTIONS] = make_functions, [FACT_OPERATORS] = make_operators,
        [FACT_TYPES] = make_types,         [FACT_CASTS] = make_casts,
        [FACT_OPCLASSES] = make_opclasses,
    };
    pthread_once(&all_once[table], make[table]);
    return &all_rows[table];
}

struct facts facts_of(const struct catalog *c, enum fact_table table, struct str key)
{
    const struct fact_rows *rows = rows_of(table);
    uint32_t first = *slot_of(rows, key);
    return (struct facts){
        .catalog = c, .table = table, .key = key, .next = first ? first - 1 : rows->count};
}

unsigned facts_major(const struct catalog *c)
{
    unsigned major = c ? c->server_version / 10000 : 0;
    return major ? major : POSTGRES_NEWEST;
}

/* An extension that is not known to be there may be, unless all is known. */
static bool has_extension(const struct catalog *c, struct str name)
{
    if (!c)
        return true;
    for (size_t i = 0; i < c->objects.count; i++) {
        const struct catalog_object *o = c->objects.at[i];
        if (!o->is_dropped && str_equal(str_of(o->kind), STR("EXTENSION")) &&
            str_equal(o->name, name))
            return true;
    }
    return !c->is_complete;
}

static bool is_in_version(const struct facts *search, const struct fact_row *row)
{
    unsigned major = facts_major(search->catalog);
    return major >= row->from && major <= row->to;
}

bool facts_next(struct facts *search, struct fact *out)
{
    const struct fact_rows *rows = rows_of(search->table);
    size_t extension = texts[search->table].column_count - 3;
    for (; search->next < rows->count; search->next++) {
        const struct fact_row *row = &rows->at[search->next];
        if (!str_equal(row->fact.column[0], search->key))
            return false;
        struct str name = row->fact.column[extension];
        if (is_in_version(search, row) && (!name.len || has_extension(search->catalog, name))) {
            *out = row->fact;
            search->next++;
            return true;
        }
    }
    return false;
}

struct facts facts_of_extension(const struct catalog *c, enum fact_table table,
                                struct str extension)
{
    return (struct facts){.catalog = c, .table = table, .key = extension};
}

bool facts_next_of_extension(struct facts *search, struct fact *out)
{
    const struct fact_rows *rows = rows_of(search->table);
    size_t extension = texts[search->table].column_count - 3;
    while (search->next < rows->count) {
        const struct fact_row *row = &rows->at[search->next++];
        if (str_equal(row->fact.column[extension], search->key) && is_in_version(search, row)) {
            *out = row->fact;
            return true;
        }
    }
    return false;
}

bool facts_type(const struct catalog *c, struct str name, bool is_builtin, struct fact *out)
{
    struct facts search = facts_of(c, FACT_TYPES, name);
    while (facts_next(&search, out)) {
        if (!is_builtin || !out->column[TYPE_FACT_EXTENSION].len)
            return true;
    }
    return false;
}
