/*
 * What the documents say is run. In README.md and docs/, a block that begins with "```sh run=NAME" is
 * executed by bash with the built program first in PATH; blocks of one name share a directory. A
 * block "```text output" behind it is what it prints, after times, digests and the like are replaced
 * by words. For the name "postgres" DATABASE_URL is an empty database; "sqlite" needs none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/command.h"
#include "core/base/fs.h"
#include "core/model/catalog_fields.h"
#include "core/model/layout.h"
#include "drivers/testkit/normalise.h"
#include "drivers/testkit/project.h"

#define NAMES_MAX 8

static const char *program_directory; /* holds a link "migrate" */

static int start(void **state)
{
    (void)state;
    program_directory = fixture_directory();
    if (symlink(project_program(), fixture_path(program_directory, "migrate")) != 0)
        fixture_die("could not link the program");
    return 0;
}

/* A directory, and a database where the name asks for one, for the blocks of one name. */
struct place {
    struct str name;
    const char *directory;
    const char *url;
};

struct document {
    const char *path;
    char *text;
    struct place places[NAMES_MAX];
    size_t place_count;
    const char *last_output; /* of the block before */
    size_t blocks;
};

static const struct place *place_of(struct document *d, struct str name)
{
    static struct pg_cluster *cluster;
    static int number;
    for (size_t i = 0; i < d->place_count; i++) {
        if (str_equal(d->places[i].name, name))
            return &d->places[i];
    }
    assert_true(d->place_count < NAMES_MAX);
    struct place *p = &d->places[d->place_count++];
    *p = (struct place){.name = name, .directory = fixture_directory(), .url = ""};
    if (str_equal(name, STR("postgres"))) {
        if (!cluster)
            cluster = pg_cluster_start(NULL);
        p->url = pg_cluster_database(cluster, fixture_text("docs_%d", ++number));
    }
    return p;
}

static const char *normalised(const char *text, const char *directory)
{
    SCOPED(buf) struct buf b = {0};
    buf_add_cstr(&b, text);
    normalise_text(&b, directory, "HOME");
    normalise_common(&b);
    normalise_text(&b, "USER", "ada"); /* who the documents speak of */
    normalise_blanks(&b);
    return fixture_text("%s", buf_cstr(&b));
}

static void run_block(struct document *d, struct str name, struct str script)
{
    const struct place *p = place_of(d, name);
    SCOPED(arena) struct arena *a = arena_make();
    const char *const argv[] = {"bash", "-e", "-c", "exec 2>&1; eval \"$0\"", arena_cstr(a, script),
                                NULL};
    const char *const env[] = {
        arena_printf(a, "PATH=%s:%s", program_directory, getenv("PATH")),
        p->url[0] ? arena_printf(a, "DATABASE_URL=%s", p->url) : "DATABASE_URL",
        "MIGRATE_URL",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "MIGRATE_ACTOR=ada",
        NULL,
    };
    struct program_result r =
        run_program(&(struct program_options){.argv = argv, .env = env, .directory = p->directory});
    if (r.exit_code != 0)
        fail_msg("%s: this ended with %d (signal %d):\n%.*s\n%s%s", d->path, r.exit_code,
                 r.signal_number, STR_ARG(script), r.out, r.err);
    d->last_output = normalised(r.out, p->directory);
    d->blocks++;
    program_result_release(&r);
}

static void check_output(const struct document *d, struct str expected)
{
    SCOPED(arena) struct arena *a = arena_make();
    const char *wanted = normalised(arena_cstr(a, expected), "");
    assert_non_null(d->last_output);
    if (strcmp(wanted, d->last_output) != 0)
        fail_msg("%s says that this is printed:\n%s\nIt is this:\n%s", d->path, wanted,
                 d->last_output);
}

/* Cuts a block off the text: what is behind "```info" up to the closing "```". */
static struct str cut_block(struct str text, struct str *out_info, struct str *out_body)
{
    for (;;) {
        struct str line;
        text = str_cut_line(text, &line);
        if (!line.len && !text.len) {
            *out_info = *out_body = (struct str){0};
            return text;
        }
        if (str_starts(line, STR("```"))) {
            *out_info = str_skip(line, 3);
            break;
        }
    }
    size_t end = str_find(text, STR("\n```"));
    assert_true(end != SIZE_MAX);
    *out_body = (struct str){text.at, end + 1};
    return str_skip(text, end + strlen("\n```\n"));
}

static void check_document(const char *path, size_t blocks)
{
    struct document d = {.path = path, .text = fixture_read(path)};
    struct str rest = str_of(d.text);
    while (rest.len) {
        struct str info;
        struct str body;
        rest = cut_block(rest, &info, &body);
        if (str_starts(info, STR("sh run=")))
            run_block(&d, str_skip(info, strlen("sh run=")), body);
        else if (str_equal(info, STR("text output")))
            check_output(&d, body);
    }
    assert_true(d.blocks >= blocks);
    free(d.text);
}

static void the_readme_does_what_it_says(void **state)
{
    (void)state;
    check_document("README.md", 4);
}

static void the_documents_do_what_they_say(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries entries = {0};
    assert_true(fs_list(a, "docs", &entries, &f));
    for (size_t i = 0; i < entries.count; i++) {
        if (str_ends(entries.at[i].name, STR(".md")))
            check_document(fs_join(a, STR("docs"), entries.at[i].name), 0);
    }
}

/* Every link within the repository leads somewhere. */
static void check_links(const char *path)
{
    SCOPED(arena) struct arena *a = arena_make();
    char *text = fixture_read(path);
    struct str rest = str_of(text);
    size_t at;
    while ((at = str_find(rest, STR("]("))) != SIZE_MAX) {
        rest = str_skip(rest, at + 2);
        struct str link;
        (void)str_cut(rest, ')', &link);
        (void)str_cut(link, '#', &link);
        bool is_ours = link.len && str_find(link, STR("://")) == SIZE_MAX;
        if (is_ours && !fs_exists(fs_join(a, fs_dirname(str_of(path)), link)))
            fail_msg("%s: there is no %.*s", path, STR_ARG(link));
    }
    free(text);
}

static void links_lead_somewhere(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries entries = {0};
    check_links("README.md");
    assert_true(fs_list(a, "docs", &entries, &f));
    for (size_t i = 0; i < entries.count; i++) {
        if (str_ends(entries.at[i].name, STR(".md")))
            check_links(fs_join(a, STR("docs"), entries.at[i].name));
    }
}

/* ---- calls that are shown ---- */

/* The next word of a call as a shell would read it; empty at the call's end. */
static struct str next_word(struct str *rest)
{
    while (rest->len && rest->at[0] == ' ')
        *rest = str_skip(*rest, 1);
    bool is_quoted = false;
    size_t len = 0;
    while (len < rest->len && (is_quoted || !strchr(" `\n#;|&>", rest->at[len])))
        is_quoted ^= rest->at[len++] == '"';
    struct str word = {rest->at, len};
    *rest = str_skip(*rest, len);
    return word;
}

/* Its command takes its options, and as many arguments. rest: behind "migrate ". */
static void check_call(struct arena *a, const char *path, struct str rest)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    char *words[32];
    int count = 0;
    struct options o;
    const char *name = arena_cstr(a, next_word(&rest));
    const struct command *c = command_find(name, &f);
    if (!c) /* a word of a sentence */
        return;
    for (struct str word; (word = next_word(&rest)).len;) {
        assert_true(count < 32);
        words[count++] = arena_cstr(a, word);
    }
    if (!options_parse(a, count, words, c->bit, c->name, &o, &f))
        fail_msg("%s: migrate %s: %s", path, name, f.message);
    if (o.arguments.count > c->arguments_max)
        fail_msg("%s: migrate %s does not take %s", path, name, o.arguments.at[0]);
}

static size_t check_calls(const char *path)
{
    SCOPED(arena) struct arena *a = arena_make();
    char *text = fixture_read(path);
    size_t calls = 0;
    for (const char *at = text; (at = strstr(at, "migrate ")); at++) {
        if (at == text || at[-1] == '\n' || at[-1] == '`') {
            check_call(a, path, str_of(at + strlen("migrate ")));
            calls++;
        }
    }
    free(text);
    return calls;
}

static void every_call_that_is_shown_can_be_made(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries entries = {0};
    size_t calls = check_calls("README.md");
    assert_true(fs_list(a, "docs", &entries, &f));
    for (size_t i = 0; i < entries.count; i++) {
        if (str_ends(entries.at[i].name, STR(".md")))
            calls += check_calls(fs_join(a, STR("docs"), entries.at[i].name));
    }
    assert_true(calls > 30);
}

static void every_layout_is_described(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    char *text = fixture_read("docs/layouts.md");
    for (int l = LAYOUT_AUTO + 1; l < LAYOUT_MAX; l++) {
        const char *name = layout_name((enum layout)l);
        if (!strstr(text, arena_printf(a, "| `%s` |", name)) ||
            !strstr(text, arena_printf(a, "**%s**", name)))
            fail_msg("docs/layouts.md has no row or no paragraph for %s", name);
    }
    free(text);
}

/* Not a further line of a statement. */
static bool is_recipe(struct str line)
{
    return line.len && strspn(line.at, "abcdefghijklmnopqrstuvwxyz-") >= line.len;
}

/* Those that testdata/rewrites has a case for, which are all. */
static void every_recipe_is_described(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct fs_entries cases = {0};
    char *text = fixture_read("docs/online.md");
    assert_true(fs_list(a, "testdata/rewrites", &cases, &f));
    assert_true(cases.count > 10);
    for (size_t i = 0; i < cases.count; i++) {
        struct str steps;
        const char *path =
            arena_printf(a, "testdata/rewrites/%.*s/steps", STR_ARG(cases.at[i].name));
        assert_true(fs_read(a, path, 1 << 20, &steps, &f));
        while (steps.len) {
            struct str line;
            steps = str_cut_line(steps, &line);
            if (is_recipe(line) && !strstr(text, arena_printf(a, "| `%.*s` |", STR_ARG(line))))
                fail_msg("docs/online.md has no row for %.*s", STR_ARG(line));
        }
    }
    free(text);
}

static void every_key_of_a_snapshot_is_described(void **state)
{
    (void)state;
    static const struct catalog_fields *const tables[] = {
        &catalog_fields_relation,          &catalog_fields_column,   &catalog_fields_index,
        &catalog_fields_index_key,         &catalog_fields_sequence, &catalog_fields_constraint,
        &catalog_fields_trigger,           &catalog_fields_rule,     &catalog_fields_type,
        &catalog_fields_domain_constraint, &catalog_fields_function, &catalog_fields_statistics,
        &catalog_fields_publication,       &catalog_fields_object,   &catalog_fields_query,
        &catalog_fields_setting,           &catalog_fields_catalog,
    };
    char *text = fixture_read("docs/snapshot-format.md");
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t k = 0; k < tables[i]->count; k++) {
            const char *key = fixture_text("`%s`", tables[i]->at[k].key);
            if (!strstr(text, key))
                fail_msg("docs/snapshot-format.md has no %s", key);
        }
    }
    free(text);
}

static void the_demo_runs(void **state)
{
    (void)state;
    const char *const argv[] = {".ci/demo", project_program(), NULL};
    const char *const env[] = {fixture_text("TMPDIR=%s", fixture_directory()), NULL};
    struct program_result r = run_program(&(struct program_options){.argv = argv, .env = env});
    if (r.exit_code != 0 || !strstr(r.out, "Remove it all with: rm -r "))
        fail_msg("the demo ended with %d:\n%s%s", r.exit_code, r.out, r.err);
    program_result_release(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_readme_does_what_it_says),
        cmocka_unit_test(the_documents_do_what_they_say),
        cmocka_unit_test(links_lead_somewhere),
        cmocka_unit_test(every_call_that_is_shown_can_be_made),
        cmocka_unit_test(every_layout_is_described),
        cmocka_unit_test(every_recipe_is_described),
        cmocka_unit_test(every_key_of_a_snapshot_is_described),
        cmocka_unit_test(the_demo_runs),
    };
    return cmocka_run_group_tests_name("cmd/docs", tests, start, NULL);
}
