/*
 * What a database is, as one text that can be compared: its schema as pg_dump writes it, statement by
 * statement in one order, the columns of a table too; what is not finished in it; and all rows.
 * The order of columns, and where rows lie, is not in it. Included once, by the test program itself.
 */
#ifndef CMD_STATE_TESTING_H
#define CMD_STATE_TESTING_H

#include <stdlib.h>

#include "core/base/buf.h"
#include "core/base/vec.h"
#include "drivers/testkit/project.h"

struct state_lines {
    struct str *at;
    size_t count, room;
};

static inline int state_by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static inline void state_sort(struct state_lines *lines)
{
    if (lines->count)
        qsort(lines->at, lines->count, sizeof(lines->at[0]), state_by_text);
}

/* One statement of the dump, its lines sorted. SET is about those behind it, which stand elsewhere here. */
static inline void state_add_block(struct arena *a, struct state_lines *lines,
                                   struct state_lines *blocks)
{
    SCOPED(buf) struct buf out = {0};

    bool is_kept = lines->count && !str_starts(lines->at[0], STR("SET ")) &&
                   !str_starts(lines->at[0], STR("--"));
    state_sort(lines);
    for (size_t i = 0; is_kept && i < lines->count; i++)
        buf_printf(&out, "%.*s\n", STR_ARG(lines->at[i]));
    if (is_kept)
        vec_push(a, blocks, str_of(arena_cstr(a, buf_str(&out))));
    lines->count = 0;
}

static const char state_rest_sql[] =
    "SELECT 'not valid: ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid OR NOT "
    "indisready OR NOT indislive UNION ALL "
    "SELECT 'half detached: ' || inhrelid::regclass FROM pg_inherits WHERE inhdetachpending UNION "
    "ALL SELECT c.oid::regclass::text || query_to_xml('SELECT to_jsonb(t)::text AS row FROM ONLY ' "
    "|| c.oid::regclass || ' AS t ORDER BY to_jsonb(t)::text', true, true, '')::text FROM pg_class "
    "AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE (c.relkind = 'r' OR c.relkind = "
    "'m' AND c.relispopulated) AND n.nspname !~ '^(pg_|information_schema|migrator)' ORDER BY 1";

/* Without what is not finished, and without rows. In the arena. */
static inline const char *state_schema_of(struct arena *a, const struct project *p)
{
    struct state_lines lines = {0}, blocks = {0};
    struct str rest = str_of(project_schema(p));
    struct str line;
    SCOPED(buf) struct buf out = {0};

    while (rest.len) {
        rest = str_cut_line(rest, &line);
        if (str_ends(line, STR(",")))
            line.len--;
        if (line.len == 0)
            state_add_block(a, &lines, &blocks);
        else
            vec_push(a, &lines, line);
    }
    state_add_block(a, &lines, &blocks);
    state_sort(&blocks);
    for (size_t i = 0; i < blocks.count; i++)
        buf_add_str(&out, blocks.at[i]);
    return arena_cstr(a, buf_str(&out));
}

/* In the arena. */
static inline const char *state_of(struct arena *a, const struct project *p)
{
    return arena_printf(a, "%s%s", state_schema_of(a, p), project_query(p, state_rest_sql));
}

/* Lines that only one of them has, sorted or not; nothing where they are equal. */
static inline const char *state_difference(struct arena *a, const char *left, const char *right)
{
    struct state_lines lines[2] = {0};
    SCOPED(buf) struct buf out = {0};
    struct str line;

    if (strcmp(left, right) == 0)
        return "";
    for (int i = 0; i < 2; i++) {
        for (struct str rest = str_of(i ? right : left); rest.len;) {
            rest = str_cut_line(rest, &line);
            vec_push(a, &lines[i], line);
        }
        state_sort(&lines[i]);
    }
    for (size_t i = 0, k = 0; i < lines[0].count || k < lines[1].count;) {
        int order = i == lines[0].count   ? 1
                    : k == lines[1].count ? -1
                                          : str_compare(lines[0].at[i], lines[1].at[k]);
        if (order < 0)
            buf_printf(&out, "< %.*s\n", STR_ARG(lines[0].at[i]));
        if (order > 0)
            buf_printf(&out, "> %.*s\n", STR_ARG(lines[1].at[k]));
        i += order <= 0;
        k += order >= 0;
    }
    return out.len ? arena_cstr(a, buf_str(&out)) : "the lines are in another order\n";
}

#endif
