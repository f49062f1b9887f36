/* The tables are sorted bytewise, one row a line: the first row of a key is found by halving the text. */
#include "planner/postgres/facts.h"

#include "facts_text.h"
#include "planner/postgres/effects.h"

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

/* Where the line begins in which byte `at` is. */
static size_t line_start(struct str text, size_t at)
{
    while (at > 0 && text.at[at - 1] != '\n')
        at--;
    return at;
}

/* Order of the key of a line and the key that is looked for. */
static int compare_key(struct str line, struct str key)
{
    struct str found;
    (void)str_cut(line, '\t', &found);
    return str_compare(found, key);
}

struct facts facts_of(const struct catalog *c, enum fact_table table, struct str key)
{
    struct str text = {texts[table].at, *texts[table].len};
    size_t from = 0; /* the lines before are smaller */
    size_t to = text.len;
    while (from < to) {
        size_t middle = line_start(text, from + (to - from) / 2);
        struct str line;
        struct str behind = str_cut_line(str_skip(text, middle), &line);
        if (compare_key(line, key) < 0)
            from = text.len - behind.len;
        else
            to = middle;
    }
    return (struct facts){.catalog = c, .table = table, .key = key, .rest = str_skip(text, from)};
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

static bool is_in_version(const struct facts *search, const struct fact *f, size_t column_count)
{
    uint64_t from;
    uint64_t to;
    if (!str_to_u64(f->column[column_count - 2], &from) ||
        !str_to_u64(f->column[column_count - 1], &to))
        return false;
    unsigned major = facts_major(search->catalog);
    return major >= from && major <= to;
}

bool facts_next(struct facts *search, struct fact *out)
{
    size_t count = texts[search->table].column_count;
    while (search->rest.len) {
        struct str line;
        struct str rest = str_cut_line(search->rest, &line);
        for (size_t i = 0; i < count; i++)
            line = str_cut(line, '\t', &out->column[i]);
        if (!str_equal(out->column[0], search->key))
            return false;
        search->rest = rest;
        struct str extension = out->column[count - 3];
        if (is_in_version(search, out, count) &&
            (!extension.len || has_extension(search->catalog, extension)))
            return true;
    }
    return false;
}

struct facts facts_of_extension(const struct catalog *c, enum fact_table table,
                                struct str extension)
{
    return (struct facts){
        .catalog = c,
        .table = table,
        .key = extension,
        .rest = {texts[table].at, *texts[table].len},
    };
}

bool facts_next_of_extension(struct facts *search, struct fact *out)
{
    size_t count = texts[search->table].column_count;
    while (search->rest.len) {
        struct str line;
        search->rest = str_cut_line(search->rest, &line);
        for (size_t i = 0; i < count; i++)
            line = str_cut(line, '\t', &out->column[i]);
        if (str_equal(out->column[count - 3], search->key) && is_in_version(search, out, count))
            return true;
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
