/*
 * Real histories: each directory below ../shared/corpora is detected as what it is and read in the
 * order that psql and sqlite3 were given (steps.tsv, see the README there).
 */
#include "core/base/fs.h"
#include "core/base/json.h"
#include "core/base/vec.h"
#include "drivers/source/directory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CORPORA "../shared/corpora"
#define FILE_BYTES_MAX ((size_t)16 << 20)

struct step {
    struct str transaction; /* "single", "own", "none", "escapes" */
    struct str kind;
    struct str version;
    struct str script;
};
struct steps {
    struct step *at;
    size_t count, room;
};

static struct str read_text(struct arena *a, const char *path)
{
    struct fail f = FAIL_NONE;
    struct str text;
    if (!fs_read(a, path, FILE_BYTES_MAX, &text, &f))
        fail_msg("%s", f.message);
    return text;
}

/* number, tx, kind, version, source, script */
static struct steps read_steps(struct arena *a, const char *path)
{
    struct steps steps = {0};
    struct str rest = read_text(a, path);
    while (rest.len) {
        struct str line;
        struct step s;
        rest = str_cut_line(rest, &line);
        line = str_cut(line, '\t', &(struct str){0});
        line = str_cut(line, '\t', &s.transaction);
        line = str_cut(line, '\t', &s.kind);
        line = str_cut(line, '\t', &s.version);
        str_cut(line, '\t', &s.script);
        vec_push(a, &steps, s);
    }
    return steps;
}

static void assert_text(const char *where, struct str actual, struct str expected)
{
    if (!str_equal(actual, expected))
        fail_msg("%s: \"%.*s\" instead of \"%.*s\"", where, STR_ARG(actual), STR_ARG(expected));
}

static void check_migration(const struct migration *m, const struct step *s)
{
    const char *where = m->path.at;
    assert_text(where, m->script, s->script);
    assert_text(where, str_of(migration_kind_name(m->kind)), s->kind);
    if (m->layout == LAYOUT_PRISMA) /* some share a timestamp, so the whole name is the version */
        assert_true(str_starts(m->version, s->version) && str_starts(m->script, m->version));
    else if (m->kind == MIGRATION_VERSIONED)
        assert_text(where, m->version, s->version);
    else
        assert_true(str_is_empty(m->version));
    assert_true(digest_is_set(&m->checksums.raw));
    assert_false(m->is_opaque);
    /* "none" in steps.tsv is also what the statements themselves demand; what the file asks for in
       its markers must be among them. */
    if (m->transaction == TRANSACTION_NONE)
        assert_text(where, s->transaction, STR("none"));
}

static void check_corpus(struct arena *a, struct str name)
{
    const char *root = fs_join(a, STR(CORPORA), name);
    struct fail f = FAIL_NONE;
    struct str manifest_path = str_of(fs_join(a, str_of(root), STR("MANIFEST.json")));
    SCOPED(json)
    struct json *manifest = json_parse(read_text(a, manifest_path.at), manifest_path, &f);
    assert_non_null(manifest);
    struct steps steps = read_steps(a, fs_join(a, str_of(root), STR("steps.tsv")));
    struct str directory = str_of(fs_join(a, str_of(root), STR("migrations")));
    struct source_request request = {
        .directories = &directory,
        .count = 1,
        .engine = engine_of_name(json_str_of(json_get(manifest, "engine"))),
    };
    struct migrations migrations;
    if (!directory_read(a, &request, &migrations, &f))
        fail_msg("%.*s: %s (%s:%u) %s", STR_ARG(name), f.message, f.file ? f.file : "", f.line,
                 f.hint ? f.hint : "");
    assert_text(root, str_of(layout_name(migrations.layout)),
                json_str_of(json_get(manifest, "layout")));
    /* crates-io keeps one dump beside its migrations, which diesel does not read either. */
    assert_int_equal(migrations.notes.count, str_equal(name, STR("crates-io")) ? 1 : 0);
    assert_int_equal(migrations.count, steps.count);
    for (size_t i = 0; i < steps.count; i++)
        check_migration(&migrations.at[i], &steps.at[i]);
}

static void every_corpus_is_read_as_its_own_tool_reads_it(void **state)
{
    (void)state;
    if (!fs_is_directory(CORPORA)) { /* skip() leaves without releasing anything */
        print_message("NOTICE: ../shared/corpora is not there, real histories were not read\n");
        skip();
    }
    SCOPED(arena) struct arena *a = arena_make();
    struct fail f = FAIL_NONE;
    struct fs_entries corpora;
    assert_true(fs_list(a, CORPORA, &corpora, &f));
    size_t count = 0;
    for (size_t i = 0; i < corpora.count; i++) {
        if (!corpora.at[i].is_directory)
            continue;
        check_corpus(a, corpora.at[i].name);
        count++;
    }
    assert_int_equal(count, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_corpus_is_read_as_its_own_tool_reads_it),
    };
    return cmocka_run_group_tests_name("corpora", tests, NULL, NULL);
}
