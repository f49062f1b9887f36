/* Connection texts as other tools write them: what libpq or SQLite is given, what is shown, and
   that no password is ever in what is shown. The cases are in testdata/config/target_url.yml. */
#include "core/model/target_url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/fs.h"
#include "core/base/yaml.h"

#define CASES "testdata/config/target_url.yml"
#define SECRET "hunter2"

struct cases {
    struct arena *arena;
    const struct yaml *root;
};

static int read_cases(void **state)
{
    static struct cases cases;
    struct fail f = FAIL_NONE;
    cases.arena = arena_make();
    struct str text;
    if (!fs_read(cases.arena, CASES, YAML_MAX_BYTES, &text, &f))
        fail_msg("%s", f.message);
    cases.root = yaml_parse(cases.arena, text, STR(CASES), &f);
    if (!cases.root)
        fail_msg("%s:%u: %s", f.file, f.line, f.message);
    *state = &cases;
    return 0;
}

static int release_cases(void **state)
{
    struct cases *cases = *state;
    arena_release(cases->arena);
    return 0;
}

/* The first case of a section; at least one. */
static const struct yaml *first_case(void **state, struct str section)
{
    const struct cases *cases = *state;
    const struct yaml *list = yaml_get(cases->root, section);
    assert_non_null(list);
    assert_non_null(list->children);
    return list->children;
}

/* A text of a case; the empty one where it is not there. */
static struct str field(const struct yaml *row, struct str key)
{
    const struct yaml *member = yaml_get(row, key);
    return member ? member->text : (struct str){0};
}

static bool holds_secret(const char *text)
{
    return text && strstr(text, SECRET);
}

static bool parse(struct arena *a, const struct yaml *row, struct target_url *out, struct fail *f)
{
    return target_url_parse(a, field(row, STR("text")), engine_of_name(field(row, STR("engine"))),
                            out, f);
}

static void expect(const struct yaml *row, struct str key, const char *found)
{
    if (!str_equal(field(row, key), str_of(found)))
        fail_msg(CASES ":%u: %s is %s", row->line, key.at, found ? found : "not set");
}

/* What is the same for both engines: the notes, and where the password is. */
static void check_common(const struct yaml *row, const struct target_url *u)
{
    const struct yaml *notes = yaml_get(row, STR("notes"));
    const struct yaml *note = notes ? notes->children : NULL;
    for (size_t i = 0; i < u->note_count; i++) {
        if (!note || !str_equal(note->text, str_of(u->notes[i])))
            fail_msg(CASES ":%u: note: %s", row->line, u->notes[i]);
        assert_false(holds_secret(u->notes[i]));
        note = note->next;
    }
    if (note)
        fail_msg(CASES ":%u: this note is missing", note->line);
    assert_int_equal(u->has_password, holds_secret(field(row, STR("text")).at));
    assert_false(holds_secret(u->safe));
}

static void every_spelling_of_postgres_becomes_what_libpq_understands(void **state)
{
    for (const struct yaml *row = first_case(state, STR("postgres")); row; row = row->next) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct target_url u;
        if (!parse(a, row, &u, &f))
            fail_msg(CASES ":%u: %s", row->line, f.message);
        assert_int_equal(u.engine, ENGINE_POSTGRES);
        assert_null(u.path);
        expect(row, STR("conninfo"), u.conninfo);
        expect(row, STR("safe"), u.safe);
        expect(row, STR("search_path"), u.search_path);
        check_common(row, &u);
    }
}

static void every_spelling_of_sqlite_becomes_a_path(void **state)
{
    for (const struct yaml *row = first_case(state, STR("sqlite")); row; row = row->next) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct target_url u;
        if (!parse(a, row, &u, &f))
            fail_msg(CASES ":%u: %s", row->line, f.message);
        assert_int_equal(u.engine, ENGINE_SQLITE);
        assert_null(u.conninfo);
        expect(row, STR("path"), u.path);
        expect(row, STR("foreign_keys"), u.query);
        expect(row, STR("mode"), u.mode);
        expect(row, STR("immutable"), u.is_immutable ? "yes" : NULL);
        assert_string_equal(u.safe, arena_printf(a, "sqlite:%s", u.path));
        check_common(row, &u);
    }
}

static void what_is_wrong_is_refused_without_repeating_a_password(void **state)
{
    for (const struct yaml *row = first_case(state, STR("refused")); row; row = row->next) {
        SCOPED(arena) struct arena *a = arena_make();
        SCOPED(fail) struct fail f = FAIL_NONE;
        struct target_url u = {.safe = "untouched"};
        if (parse(a, row, &u, &f))
            fail_msg(CASES ":%u: was taken as %s", row->line, u.safe);
        struct str message = field(row, STR("message"));
        if (!message.len || !str_starts(str_of(f.message), message))
            fail_msg(CASES ":%u: %s", row->line, f.message);
        assert_int_equal(f.code, EXIT_USAGE);
        assert_string_equal(u.safe, "untouched");
        assert_non_null(f.hint);
        assert_false(holds_secret(f.message) || holds_secret(f.hint) || holds_secret(f.detail));
    }
}

static void a_nul_character_is_refused(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct target_url u;
    assert_false(target_url_parse(a, STR("sqlite:a\0b.db"), ENGINE_UNKNOWN, &u, &f));
    assert_string_equal(f.message, "the connection text holds a NUL character");
}

static void passwords_in_arguments_are_overwritten_in_place(void **state)
{
    for (const struct yaml *row = first_case(state, STR("scrubbed")); row; row = row->next) {
        SCOPED(arena) struct arena *a = arena_make();
        char *argument = arena_cstr(a, field(row, STR("text")));
        target_url_scrub(argument);
        expect(row, STR("becomes"), argument);
    }
    char empty[] = "";
    target_url_scrub(empty);
    assert_string_equal(empty, "");
}

static void no_case_survives_scrubbing_with_its_password(void **state)
{
    static const struct str sections[] = {{"postgres", 8}, {"sqlite", 6}};
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        for (const struct yaml *row = first_case(state, sections[i]); row; row = row->next) {
            SCOPED(arena) struct arena *a = arena_make();
            struct str text = field(row, STR("text"));
            if (strstr(text.at, "&" SECRET "=")) /* a key of that name: it is there for the notes */
                continue;
            char *argument = arena_printf(a, "--url=%s", text.at);
            target_url_scrub(argument);
            if (holds_secret(argument))
                fail_msg(CASES ":%u: %s", row->line, argument);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_postgres_becomes_what_libpq_understands),
        cmocka_unit_test(every_spelling_of_sqlite_becomes_a_path),
        cmocka_unit_test(what_is_wrong_is_refused_without_repeating_a_password),
        cmocka_unit_test(a_nul_character_is_refused),
        cmocka_unit_test(passwords_in_arguments_are_overwritten_in_place),
        cmocka_unit_test(no_case_survives_scrubbing_with_its_password),
    };
    return cmocka_run_group_tests_name("target_url", tests, read_cases, release_cases);
}
