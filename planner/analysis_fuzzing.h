/*
 * A text of two parts, a schema and a migration behind a line "-- migration", as `migrate plan --schema`
 * is given them; for fuzz targets. They run with the stack that the program gives its parser.
 */
#ifndef PLANNER_ANALYSIS_FUZZING_H
#define PLANNER_ANALYSIS_FUZZING_H

#include "core/base/text.h"
#include "core/model/script.h"
#include "planner/postgres/parse.h"

#include <pthread.h>

struct fuzz_input {
    struct str schema, migration;
    bool has_schema;
};

/* A copy in the arena, parted. False: core/model/script.c would refuse it before anything is analysed. */
static inline bool fuzz_input_read(struct arena *a, const uint8_t *data, size_t size,
                                   struct fuzz_input *out)
{
    const struct str line = STR("-- migration\n");
    size_t valid_len;
    *out = (struct fuzz_input){.migration = {(const char *)data, size}};
    if (!size || text_find_invalid(out->migration, true, &valid_len) != SIZE_MAX)
        return false;
    out->migration = arena_str(a, out->migration);
    size_t at = str_find(out->migration, line);
    if (at != SIZE_MAX) {
        out->schema = arena_str(a, (struct str){out->migration.at, at});
        out->migration = str_skip(out->migration, at + line.len);
        out->has_schema = true;
    }
    return true;
}

/* Skips what COPY … FROM stdin reads. False: it has no end. */
static inline bool fuzz_skip_data(struct script *script, struct fail *f)
{
    struct str piece;
    do {
        if (!script_copy_data(script, &piece, f))
            return false;
    } while (piece.len);
    return true;
}

/* Calls visit with each statement, until the text ends or cannot be read further. */
typedef void fuzz_visitor(void *context, struct statement *s);
static inline void fuzz_each_statement(struct str text, const struct dialect *dialect,
                                       uint32_t version, fuzz_visitor *visit, void *context)
{
    const struct script_context how = {
        .dialect = dialect, .server_version = version, .wants_analysis = true};
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(script) struct script *script = script_open_memory(text, STR("fuzz.sql"), &how);
    struct script_batch batch = {.count = 1};
    while (batch.count && script_next(script, &batch, &f)) {
        for (size_t i = 0; i < batch.count; i++) {
            struct statement s = batch.statements[i];
            visit(context, &s);
        }
        if (batch.count && batch.statements[batch.count - 1].is_copy_from_stdin &&
            !fuzz_skip_data(script, &f))
            return;
    }
}

static inline void fuzz_with_stack(void *(*body)(void *), void *context)
{
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES) != 0 ||
        pthread_create(&thread, &attributes, body, context) != 0)
        abort();
    pthread_attr_destroy(&attributes);
    pthread_join(thread, NULL);
}

#endif
