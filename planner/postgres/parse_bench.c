/*
 * What libpg_query alone takes for the same files, each parsed as a whole, and the tree packed and unpacked
 * as every program gets it. .ci/bench/plan.sh times this beside `migrate plan`.
 *   parse_bench FILE…
 */
#include "core/base/fail.h"
#include "core/base/fs.h"
#include "planner/postgres/parse.h"

#include <pg_query.h>
#include <pthread.h>

struct files {
    char **at;
    int count;
    bool is_failed;
};

static void parse_file(struct files *files, const char *path)
{
    enum { MOST_BYTES = 1 << 30 };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = {0};
    struct str text;
    if (!fs_read(a, path, MOST_BYTES, &text, &f)) {
        fprintf(stderr, "parse_bench: %s\n", f.message);
        files->is_failed = true;
        return;
    }
    PgQueryProtobufParseResult result = pg_query_parse_protobuf(arena_cstr(a, text));
    if (result.error) {
        fprintf(stderr, "parse_bench: %s: %s\n", path, result.error->message);
        files->is_failed = true;
    } else {
        PgQuery__ParseResult *root = pg_query__parse_result__unpack(
            NULL, result.parse_tree.len, (const uint8_t *)result.parse_tree.data);
        pg_query__parse_result__free_unpacked(root, NULL);
    }
    pg_query_free_protobuf_parse_result(result);
}

static void *parse_files(void *context)
{
    struct files *files = context;
    for (int i = 0; i < files->count; i++)
        parse_file(files, files->at[i]);
    return NULL;
}

/* The library has no check of its stack: see parse.h. */
int main(int argc, char **argv)
{
    struct files files = {.at = argv + 1, .count = argc - 1};
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES) != 0 ||
        pthread_create(&thread, &attributes, parse_files, &files) != 0) {
        fputs("parse_bench: no thread\n", stderr);
        return EXIT_FAILURE;
    }
    (void)pthread_join(thread, NULL);
    (void)pthread_attr_destroy(&attributes);
    return files.is_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
