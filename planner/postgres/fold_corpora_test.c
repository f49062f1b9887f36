/*
 * Real migration histories, folded statement by statement, beside the schema that a server made of them
 * (pg_dump -s): relations, columns, keys with their names, indexes, triggers, types, functions. The
 * histories are in ../shared/corpora; where they are not, this says so and compares nothing.
 */
#include "planner/postgres/analysis.h"
#include "planner/postgres/cut.h"

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/model/script.h"
#include "planner/postgres/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

#define CORPORA "../shared/corpora"

typedef VEC_OF(struct str) lines;

static void fold_file(struct arena *a, struct postgres_analysis *p, const char *path)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text;
    if (!fs_read(a, path, (size_t)64 << 20, &text, &f))
        fail_msg("%s", f.message);
    const struct script_context how = {
        .dialect = &postgres_dialect,
        .server_version = 150000,
        .wants_analysis = true,
    };
    SCOPED(script) struct script *script = script_open_memory(text, str_of(path), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count) {
        if (!script_next(script, &batch, &f))
            fail_msg("%s: %s", path, f.message);
        for (size_t i = 0; i < batch.count; i++)
            postgres_analysis_fold(p, &batch.statements[i]);
        if (batch.is_last)
            return;
    }
}

/* ---- a catalog as lines ---- */

static void tell_columns(struct arena *a, const struct catalog_relation *r, struct str name,
                         lines *out)
{
    for (size_t i = 0; i < r->columns.count; i++) {
        const struct catalog_column *c = r->columns.at[i];
        if (c->is_dropped)
            continue;
        bool has_default = catalog_has_expression(&c->default_value);
        struct str type = type_text(a, &c->type);
        vec_push(
            a, out,
            str_of(arena_printf(a, "column %.*s.%.*s %.*s%s%s%s%s", STR_ARG(name), STR_ARG(c->name),
                                STR_ARG(type), c->is_not_null ? " not null" : "",
                                c->identity ? " identity" : "", c->generated ? " generated" : "",
                                has_default ? " default" : "")));
    }
}

static void tell_constraints(struct arena *a, const struct catalog_relation *r, struct str name,
                             lines *out)
{
    for (size_t i = 0; i < r->constraints.count; i++) {
        const struct catalog_constraint *k = r->constraints.at[i];
        if (k->is_dropped)
            continue;
        SCOPED(buf) struct buf line = {0};
        buf_printf(&line, "constraint %.*s.%.*s %c %s", STR_ARG(name), STR_ARG(k->name),
                   (char)k->kind, k->is_valid ? "valid" : "not valid");
        for (size_t j = 0; j < k->columns.count && k->kind != CONSTRAINT_CHECK; j++)
            buf_printf(&line, " %.*s", STR_ARG(k->columns.at[j]->name));
        if (k->referenced)
            buf_printf(&line, " -> %.*s", STR_ARG(catalog_relation_text(a, k->referenced)));
        vec_push(a, out, buf_done(a, &line));
    }
}

static void tell_index(struct arena *a, const struct catalog_relation *r, struct str name,
                       lines *out)
{
    SCOPED(buf) struct buf line = {0};
    buf_printf(&line, "index %.*s %s %s", STR_ARG(name), r->index->is_unique ? "unique" : "plain",
               catalog_has_expression(&r->index->predicate) ? "partial" : "whole");
    for (size_t i = 0; i < r->index->keys.count; i++) {
        const struct catalog_column *column = r->index->keys.at[i].column;
        buf_printf(&line, " %.*s", STR_ARG(column ? column->name : STR("(expression)")));
    }
    vec_push(a, out, buf_done(a, &line));
}

static void tell_relation(struct arena *a, const struct catalog_relation *r, lines *out)
{
    struct str name = catalog_relation_text(a, r);
    vec_push(a, out,
             str_of(arena_printf(a, "%s %.*s", relation_kind_name(r->kind), STR_ARG(name))));
    tell_columns(a, r, name, out);
    tell_constraints(a, r, name, out);
    if (r->index)
        tell_index(a, r, name, out);
    for (size_t i = 0; i < r->triggers.count; i++) {
        if (!r->triggers.at[i]->is_dropped)
            vec_push(a, out,
                     str_of(arena_printf(a, "trigger %.*s.%.*s", STR_ARG(name),
                                         STR_ARG(r->triggers.at[i]->name))));
    }
}

static int compare(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted. Temporary relations are gone when their session ends. */
static lines tell(struct arena *a, const struct catalog *c)
{
    lines out = {0};
    for (size_t i = 0; i < c->relations.count; i++) {
        const struct catalog_relation *r = c->relations.at[i];
        if (!r->is_dropped && !str_equal(r->schema, STR("pg_temp")))
            tell_relation(a, r, &out);
    }
    for (size_t i = 0; i < c->types.count; i++) {
        const struct catalog_type *t = c->types.at[i];
        if (!t->is_dropped && !t->composite)
            vec_push(a, &out,
                     str_of(arena_printf(a, "type %.*s %c %zu labels", STR_ARG(t->name),
                                         (char)t->kind, t->labels.count)));
    }
    for (size_t i = 0; i < c->functions.count; i++) {
        const struct catalog_function *f = c->functions.at[i];
        if (!f->is_dropped)
            vec_push(a, &out,
                     str_of(arena_printf(a, "function %.*s %zu %c", STR_ARG(f->name),
                                         f->arguments.count, f->volatility)));
    }
    if (out.count)
        qsort(out.at, out.count, sizeof(*out.at), compare);
    return out;
}

/* ---- the histories ---- */

static lines of_history(struct arena *a, const char *corpus)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(postgres_analysis)
    struct postgres_analysis *p = postgres_analysis_open(a, NULL, 150000, NULL);
    const char *preamble = arena_printf(a, CORPORA "/%s/PREAMBLE.sql", corpus);
    if (access(preamble, R_OK) == 0)
        fold_file(a, p, preamble);
    struct str steps;
    if (!fs_read(a, arena_printf(a, CORPORA "/%s/steps.tsv", corpus), (size_t)1 << 20, &steps, &f))
        fail_msg("%s", f.message);
    while (steps.len) {
        struct str line;
        steps = str_cut_line(steps, &line);
        struct str path = {0};
        while (line.len) /* the last column */
            line = str_cut(line, '\t', &path);
        if (path.len)
            fold_file(a, p, arena_printf(a, CORPORA "/%s/%.*s", corpus, STR_ARG(path)));
    }
    return tell(a, postgres_analysis_catalog(p));
}

static lines of_reference(struct arena *a, const char *corpus)
{
    SCOPED(postgres_analysis)
    struct postgres_analysis *p = postgres_analysis_open(a, NULL, 150000, NULL);
    fold_file(a, p, arena_printf(a, CORPORA "/%s/reference/schema.sql", corpus));
    return tell(a, postgres_analysis_catalog(p));
}

static void a_history_ends_in_the_schema_that_a_server_makes_of_it(void **state)
{
    (void)state;
    /* measure is left out: its search_path is set by an EXECUTE that is put together when it runs. */
    static const char *const corpora[] = {"crates-io", "docs-rs", "homarr-pg", "langfuse",
                                          "lydia-api", "minder",  "ncps-pg"};
    if (access(CORPORA, R_OK) != 0) {
        print_message("SKIP: there is no " CORPORA ": nothing is compared\n");
        skip();
    }
    for (size_t i = 0; i < ARRAY_LEN(corpora); i++) {
        SCOPED(arena) struct arena *a = arena_make();
        lines folded = of_history(a, corpora[i]);
        lines made = of_reference(a, corpora[i]);
        assert_true(made.count > 100);
        for (size_t j = 0; j < folded.count || j < made.count; j++) {
            struct str one = j < folded.count ? folded.at[j] : STR("nothing more");
            struct str other = j < made.count ? made.at[j] : STR("nothing more");
            if (!str_equal(one, other))
                fail_msg("%s: folded  %.*s\n  a server has  %.*s", corpora[i], STR_ARG(one),
                         STR_ARG(other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_history_ends_in_the_schema_that_a_server_makes_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
