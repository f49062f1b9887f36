/* Files and directories, in a temporary directory: reading, writing once, listing, names. */
#include "core/base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/testkit/fixture.h"

static const char *directory;

static int make_directory(void **state)
{
    (void)state;
    directory = fixture_directory();
    return 0;
}

/* A failure of a user's making: its code, its message, and a hint that says what to do. */
static void assert_failure(const struct fail *f, const char *message_part)
{
    assert_int_equal(f->code, EXIT_USAGE);
    if (!strstr(f->message, message_part))
        fail_msg("\"%s\" lacks \"%s\"", f->message, message_part);
    assert_non_null(f->hint);
}

static void assert_contents(const char *path, const char *wanted)
{
    char *contents = fixture_read(path);
    assert_string_equal(contents, wanted);
    free(contents);
}

static void a_file_is_read_whole_and_terminated(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    fixture_write_bytes(directory, "some", "a\0b\n", 4);
    struct str text;
    assert_true(fs_read(a, fixture_path(directory, "some"), 100, &text, &f));
    assert_int_equal(text.len, 4);
    assert_memory_equal(text.at, "a\0b\n\0", 5);
    fixture_write(directory, "empty", "");
    assert_true(fs_read(a, fixture_path(directory, "empty"), 0, &text, &f));
    assert_string_equal(text.at, "");
}

static void the_limit_is_a_limit(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    fixture_write(directory, "ten", "0123456789");
    const char *path = fixture_path(directory, "ten");
    struct str text = {0};
    assert_true(fs_read(a, path, 10, &text, &f));
    text = (struct str){0};
    assert_false(fs_read(a, path, 9, &text, &f));
    assert_failure(&f, "has 10 bytes, more than 9");
    assert_null(text.at);
}

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail missing = FAIL_NONE;
    struct str text;
    assert_false(fs_read(a, fixture_path(directory, "nowhere"), 10, &text, &missing));
    assert_failure(&missing, "nowhere\": No such file or directory");
    assert_int_equal(missing.kind, FAIL_NOT_FOUND);

    SCOPED(fail) struct fail wrong = FAIL_NONE;
    assert_false(fs_read(a, directory, 10, &text, &wrong));
    assert_failure(&wrong, "is not a regular file");

    SCOPED(fail) struct fail below = FAIL_NONE;
    fixture_write(directory, "file", "");
    assert_false(fs_read(a, fixture_path(directory, "file/below"), 10, &text, &below));
    assert_failure(&below, "Not a directory");
}

static void a_pipe_does_not_stop_us(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *path = fixture_path(directory, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct byte_source source;
    assert_false(byte_source_open(path, &source, &f));
    assert_failure(&f, "is not a regular file");
}

/* The same reads of a file and of memory must give the same. */
static void check_source(const struct byte_source *source, struct str bytes)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    static const struct {
        uint64_t offset;
        size_t room, len;
    } rows[] = {
        {0, 10, 10}, {0, 3, 3}, {3, 4, 4}, {8, 4, 2}, {10, 4, 0}, {UINT32_MAX, 4, 0}, {2, 0, 0},
    };
    assert_int_equal(source->size_bytes, bytes.len);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char into[16] = {0};
        size_t len = 77;
        assert_true(byte_source_read(source, rows[i].offset, into, rows[i].room, &len, &f));
        assert_int_equal(len, rows[i].len);
        if (len)
            assert_memory_equal(into, bytes.at + rows[i].offset, len);
    }
}

static void bytes_can_be_read_piece_by_piece(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str bytes = STR("0123456789");
    struct byte_source memory = byte_source_of_memory(bytes, "memory");
    check_source(&memory, bytes);
    byte_source_close(&memory);
    fixture_write(directory, "digits", "0123456789");
    struct byte_source file;
    assert_true(byte_source_open(fixture_path(directory, "digits"), &file, &f));
    check_source(&file, bytes);
    byte_source_close(&file);
    byte_source_close(&file);
}

static void a_new_file_is_written_and_an_old_one_is_left(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *path = fixture_path(directory, "new.sql");
    assert_true(fs_write_new(path, STR("select 1;\n"), &f));
    assert_contents(path, "select 1;\n");
    assert_false(fs_write_new(path, STR("other"), &f));
    assert_failure(&f, "could not make");
    assert_contents(path, "select 1;\n");
}

static void a_new_file_needs_its_directory(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_false(fs_write_new(fixture_path(directory, "no/such/file"), STR(""), &f));
    assert_failure(&f, "No such file or directory");
}

static void a_new_file_can_be_in_the_working_directory(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(directory), 0);
    bool is_written = fs_write_new("here", (struct str){0}, &f);
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_true(is_written);
    assert_true(fs_exists(fixture_path(directory, "here")));
}

static void a_listing_is_sorted_bytewise_and_follows_links(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *path = fixture_path(directory, "list");
    fixture_write(path, "b", "");
    fixture_write(path, "B", "");
    fixture_write(path, "10", "");
    fixture_write(path, "9", "");
    fixture_write(path, ".hidden", "");
    fixture_write(path, "deep/file", "");
    assert_int_equal(symlink("deep", fixture_path(path, "to_directory")), 0);
    assert_int_equal(symlink("b", fixture_path(path, "to_file")), 0);
    assert_int_equal(symlink("gone", fixture_path(path, "to_nothing")), 0);
    static const struct {
        const char *name;
        bool is_directory;
    } wanted[] = {
        {".hidden", false},     {"10", false},      {"9", false},
        {"B", false},           {"b", false},       {"deep", true},
        {"to_directory", true}, {"to_file", false}, {"to_nothing", false},
    };
    struct fs_entries entries;
    assert_true(fs_list(a, path, &entries, &f));
    assert_int_equal(entries.count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < entries.count; i++) {
        assert_string_equal(entries.at[i].name.at, wanted[i].name);
        if (entries.at[i].is_directory != wanted[i].is_directory)
            fail_msg("%s: is_directory is wrong", wanted[i].name);
    }
}

static void an_empty_directory_and_none_are_told_apart(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const char *path = fixture_path(directory, "empty_directory");
    assert_true(fs_make_directories(path, &f));
    struct fs_entries entries = {.count = 9};
    assert_true(fs_list(a, path, &entries, &f));
    assert_int_equal(entries.count, 0);
    assert_false(fs_list(a, fixture_path(directory, "not_there"), &entries, &f));
    assert_failure(&f, "could not open directory");
    assert_int_equal(f.kind, FAIL_NOT_FOUND);
}

static void directories_are_made_with_those_above(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    static const char *const paths[] = {"x", "x/y/z", "x//w/", "p/../q"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        const char *path = fixture_path(directory, paths[i]);
        assert_true(fs_make_directories(path, &f));
        assert_true(fs_is_directory(path));
        assert_true(fs_make_directories(path, &f)); /* a second time is fine */
    }
    assert_true(fs_make_directories("/", &f));
    assert_true(fs_make_directories(".", &f));
}

static void a_file_in_the_way_of_a_directory_is_an_error(void **state)
{
    (void)state;
    fixture_write(directory, "taken", "");
    SCOPED(fail) struct fail same = FAIL_NONE;
    assert_false(fs_make_directories(fixture_path(directory, "taken"), &same));
    assert_failure(&same, "is not a directory");
    SCOPED(fail) struct fail above = FAIL_NONE;
    assert_false(fs_make_directories(fixture_path(directory, "taken/below"), &above));
    assert_failure(&above, "Not a directory");
    SCOPED(fail) struct fail none = FAIL_NONE;
    assert_false(fs_make_directories("", &none));
    assert_failure(&none, "is not a directory");
}

static void existence_is_asked_without_failing(void **state)
{
    (void)state;
    fixture_write(directory, "there", "");
    assert_true(fs_exists(fixture_path(directory, "there")));
    assert_false(fs_is_directory(fixture_path(directory, "there")));
    assert_true(fs_is_directory(directory));
    assert_false(fs_exists(fixture_path(directory, "absent")));
    assert_false(fs_is_directory(fixture_path(directory, "absent")));
}

static void paths_are_joined_and_taken_apart(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    assert_string_equal(fs_join(a, STR("a"), STR("b")), "a/b");
    assert_string_equal(fs_join(a, STR("a/"), STR("b")), "a/b");
    assert_string_equal(fs_join(a, STR("/"), STR("b")), "/b");
    assert_string_equal(fs_join(a, STR(""), STR("b")), "b");
    assert_string_equal(fs_join(a, STR("a"), STR("/b")), "/b");
    static const struct {
        const char *path, *directory, *base;
    } rows[] = {
        {"a/b/c.sql", "a/b", "c.sql"},
        {"c.sql", ".", "c.sql"},
        {"/c.sql", "/", "c.sql"},
        {"a/", "a", ""},
        {"", ".", ""},
        {"/", "/", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(str_equal(fs_dirname(str_of(rows[i].path)), str_of(rows[i].directory)));
        assert_true(str_equal(fs_basename(str_of(rows[i].path)), str_of(rows[i].base)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_and_terminated),
        cmocka_unit_test(the_limit_is_a_limit),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(a_pipe_does_not_stop_us),
        cmocka_unit_test(bytes_can_be_read_piece_by_piece),
        cmocka_unit_test(a_new_file_is_written_and_an_old_one_is_left),
        cmocka_unit_test(a_new_file_needs_its_directory),
        cmocka_unit_test(a_new_file_can_be_in_the_working_directory),
        cmocka_unit_test(a_listing_is_sorted_bytewise_and_follows_links),
        cmocka_unit_test(an_empty_directory_and_none_are_told_apart),
        cmocka_unit_test(directories_are_made_with_those_above),
        cmocka_unit_test(a_file_in_the_way_of_a_directory_is_an_error),
        cmocka_unit_test(existence_is_asked_without_failing),
        cmocka_unit_test(paths_are_joined_and_taken_apart),
    };
    return cmocka_run_group_tests_name("fs", tests, make_directory, NULL);
}
