/* Reading scripts: windows, places, placeholders, ranges, COPY data, digests; with a dialect that knows
   only semicolons. */
#include "core/model/script.h"

#include "core/base/buf.h"
#include "core/base/vec.h"
#include "drivers/testkit/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h wants the headers above it.
#include <cmocka.h>

/* ---- a small dialect ---- */

static void advance(struct str text, uint32_t *line, uint32_t *column)
{
    for (size_t i = 0; i < text.len; i++) {
        *column = text.at[i] == '\n' ? 1 : *column + 1;
        *line += text.at[i] == '\n';
    }
}

/* A statement ends at a semicolon; one that begins with COPY has data behind its line. */
static bool cut_at_semicolons(struct arena *a, const struct cut_request *r, struct cut_result *out,
                              struct fail *f)
{
    (void)f;
    *out = (struct cut_result){.is_tree_whole = true};
    assert_int_equal(r->window.at[r->window.len], '\0');
    uint32_t line = r->line;
    uint32_t column = r->column;
    size_t done = 0;
    while (done < r->window.len) {
        struct str rest = str_skip(r->window, done);
        size_t end = str_find_char(rest, ';');
        struct str text = str_trim((struct str){rest.at, end == SIZE_MAX ? rest.len : end});
        if (end == SIZE_MAX && (!r->is_end || !text.len))
            break;
        size_t lead = text.len ? (size_t)(text.at - rest.at) : 0;
        bool is_copy = str_starts(text, STR("COPY"));
        size_t behind = end == SIZE_MAX ? rest.len : end;
        size_t newline = str_find_char(str_skip(rest, behind), '\n');
        newline = newline == SIZE_MAX ? SIZE_MAX : behind + newline;
        if (is_copy && newline == SIZE_MAX && !r->is_end)
            break;
        advance((struct str){rest.at, lead}, &line, &column);
        struct statement s = {.text = text,
                              .line = line,
                              .column = column,
                              .kind = "X",
                              .offset_bytes = r->offset_bytes + done + lead,
                              .is_copy_from_stdin = is_copy};
        if (text.len)
            vec_push(a, &out->statements, s);
        if (r->tree)
            digest_add(r->tree, text);
        size_t used = end == SIZE_MAX ? rest.len : end + 1;
        if (is_copy)
            used = newline == SIZE_MAX ? rest.len : newline + 1;
        advance((struct str){rest.at + lead, used - lead}, &line, &column);
        done += used;
        out->consumed_bytes = done;
        if (is_copy) {
            out->stop = CUT_AT_COPY;
            return true;
        }
    }
    if (!r->is_end)
        return true;
    out->consumed_bytes = r->window.len;
    out->stop = CUT_AT_END;
    return true;
}

static struct str show(struct arena *a, const struct statement *s)
{
    return arena_str(a, s->text);
}

static const struct dialect semicolons = {
    .engine = ENGINE_POSTGRES, .tree_kind = "test", .cut = cut_at_semicolons, .redact = show};

static const struct script_context plain = {
    .dialect = &semicolons, .wants_analysis = true, .is_recorded = true};

/* All statements and data of a script, as "line:column text|"; COPY data as "<data>". */
static bool read_all(struct script *s, struct buf *out, struct checksums *sums, struct fail *f)
{
    struct script_batch batch;
    bool was_last = false;
    for (;;) {
        if (!script_next(s, &batch, f))
            return false;
        if (batch.count == 0)
            break;
        assert_false(was_last);
        was_last = batch.is_last;
        for (size_t i = 0; i < batch.count; i++)
            buf_printf(out, "%u:%u %.*s|", batch.statements[i].line, batch.statements[i].column,
                       STR_ARG(batch.statements[i].text));
        if (!batch.statements[batch.count - 1].is_copy_from_stdin)
            continue;
        struct str data;
        buf_add_char(out, '<');
        do {
            if (!script_copy_data(s, &data, f))
                return false;
            buf_add_str(out, data);
        } while (data.len);
        buf_add_char(out, '>');
    }
    return script_finish(s, sums, f);
}

static struct migration migration_of(const char *path, const char *text)
{
    return (struct migration){
        .path = str_of(path), .up = {0, UINT64_MAX}, .size_bytes = strlen(text)};
}

/* ---- tests ---- */

struct read_case {
    const char *text;
    const char *expected;
};

static const struct read_case cases[] = {
    {"", ""},
    {"\xEF\xBB\xBF", ""},
    {"a;b", "1:1 a|1:3 b|"},
    {"\xEF\xBB\xBF"
     "a;\n b;\n",
     "1:1 a|2:2 b|"},
    {"a;\r\nb;\r\n", "1:1 a|2:1 b|"},
    {"COPY t;\n1\t2\n3\n\\.\nb;", "1:1 COPY t|<1\t2\n3\n>5:1 b|"},
    {"COPY t;\r\n1\r\n\\.\r\nb;", "1:1 COPY t|<1\r\n>4:1 b|"},
    {"COPY t;\n\\.\n", "1:1 COPY t|<>"},
    {"COPY t;\n1;2\n\\.", "1:1 COPY t|<1;2\n>"},
    {"COPY t;\n\\.x\n \\.\n\\.\n", "1:1 COPY t|<\\.x\n \\.\n>"},
    {"COPY t;\n1\n\\.\nCOPY u;\n2\n\\.\n", "1:1 COPY t|<1\n>4:1 COPY u|<2\n>"},
};

static void scripts_are_read_to_their_end(void **state)
{
    (void)state;
    const char *directory = fixture_directory();
    for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
        const struct read_case *c = &cases[i / 2];
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        fixture_write(directory, "a.sql", c->text);
        struct migration m = migration_of(fixture_path(directory, "a.sql"), c->text);
        SCOPED(script)
        struct script *s = i % 2 ? script_open(&m, false, &plain, &f)
                                 : script_open_memory(str_of(c->text), STR("m"), &plain);
        struct checksums sums;
        assert_non_null(s);
        if (!read_all(s, &got, &sums, &f))
            fail_msg("%s: %s", c->text, f.message);
        assert_string_equal(buf_cstr(&got), c->expected);
        struct digest raw = digest_of(str_of(c->text));
        struct digest normalized = checksum_normalized(str_of(c->text));
        assert_true(digest_equal(&sums.raw, &raw));
        assert_true(digest_equal(&sums.normalized, &normalized));
        assert_string_equal(sums.tree_kind, "test");
    }
}

static void a_part_of_a_file_is_read_and_all_of_it_digested(void **state)
{
    (void)state;
    const char *directory = fixture_directory();
    const char *text = "-- up\na;\nb;\n-- down\nc;\n";
    fixture_write(directory, "a.sql", text);
    struct migration m = migration_of(fixture_path(directory, "a.sql"), text);
    m.down_path = m.path;
    m.up = (struct file_range){6, 12};
    m.down = (struct file_range){20, UINT64_MAX};
    for (int is_down = 0; is_down < 2; is_down++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        SCOPED(script) struct script *s = script_open(&m, is_down, &plain, &f);
        struct checksums sums;
        assert_true(read_all(s, &got, &sums, &f));
        assert_string_equal(buf_cstr(&got), is_down ? "5:1 c|" : "2:1 a|3:1 b|");
        struct digest raw = digest_of(str_of(text));
        assert_true(digest_equal(&sums.raw, &raw));
    }
}

/* ---- placeholders ---- */

static const struct placeholder values[] = {
    {STR("name"), STR("x; y")}, {STR("Empty"), STR("")}, {STR("flyway:user"), STR("u")}};

static bool read_with_values(const char *text, struct buf *got, struct fail *f)
{
    const char *directory = fixture_directory();
    fixture_write(directory, "a.sql", text);
    struct migration m = migration_of(fixture_path(directory, "a.sql"), text);
    m.has_placeholders = true;
    struct script_context with = plain;
    with.placeholders = values;
    with.placeholder_count = ARRAY_LEN(values);
    SCOPED(script) struct script *s = script_open(&m, false, &with, f);
    struct checksums sums;
    return s && read_all(s, got, &sums, f);
}

static void placeholders_are_replaced_whatever_their_case(void **state)
{
    (void)state;
    static const struct read_case replaced[] = {
        {"a ${name}", "1:1 a x|1:6 y|"},
        {"${NAME}${empty}", "1:1 x|1:4 y|"},
        {"a ${flyway:user} ${ b\n $c } $${", "1:1 a u ${ b\n $c } $${|"},
        {"a;\nb ${empty};\nc", "1:1 a|2:1 b|3:1 c|"},
        {"a ${flyway:fileName}", "1:1 a a.sql|"},
    };
    for (size_t i = 0; i < ARRAY_LEN(replaced); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        if (!read_with_values(replaced[i].text, &got, &f))
            fail_msg("%s: %s", replaced[i].text, f.message);
        assert_string_equal(buf_cstr(&got), replaced[i].expected);
    }
}

/* A piece of the file may become larger than what is held at once, but not without bounds. */
static void placeholders_that_make_too_much_of_a_line_are_refused(void **state)
{
    (void)state;
    enum { VALUE_BYTES = 1 << 20, FITS = 60, IS_TOO_MUCH = 70 };
    SCOPED(buf) struct buf big = {0};
    assert_true(buf_reserve(&big, VALUE_BYTES));
    memset(big.at, 'x', VALUE_BYTES);
    big.len = VALUE_BYTES;
    const struct placeholder value = {STR("big"), buf_str(&big)};
    struct script_context with = plain;
    with.placeholders = &value;
    with.placeholder_count = 1;
    for (unsigned lines = FITS; lines <= IS_TOO_MUCH; lines += IS_TOO_MUCH - FITS) {
        SCOPED(buf) struct buf text = {0};
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        for (unsigned i = 0; i < lines; i++)
            buf_add_cstr(&text, "${big};\n");
        const char *directory = fixture_directory();
        fixture_write(directory, "a.sql", buf_cstr(&text));
        struct migration m = migration_of(fixture_path(directory, "a.sql"), buf_cstr(&text));
        m.has_placeholders = true;
        SCOPED(script) struct script *s = script_open(&m, false, &with, &f);
        struct checksums sums;
        assert_int_equal(read_all(s, &got, &sums, &f), lines == FITS);
        if (lines == FITS)
            continue;
        assert_int_equal(f.code, EXIT_FAILED);
        assert_non_null(strstr(f.message, "placeholders make more than 64 MB"));
        assert_non_null(f.file);
        assert_non_null(f.hint);
    }
}

static void a_placeholder_without_value_fails_with_its_place(void **state)
{
    (void)state;
    SCOPED(buf) struct buf got = {0};
    SCOPED(fail) struct fail f = FAIL_NONE;
    assert_false(read_with_values("a;\nb ü ${other};", &got, &f));
    assert_int_equal(f.line, 2);
    assert_int_equal(f.column, 5);
    assert_non_null(strstr(f.message, "${other}"));
    assert_non_null(strstr(f.hint, "--placeholder other="));
}

static void a_line_with_a_password_is_not_quoted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a;\nalter role r PASSWORD 'geheim' ${other};",
        "a;\nalter role r password 'x${ geheim }';",
        "a;\nalter role r password 'geheim\xFF';",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        assert_false(read_with_values(texts[i], &got, &f));
        assert_int_equal(f.line, 2);
        assert_null(strstr(f.message, "geheim"));
        assert_null(strstr(f.hint, "geheim"));
        assert_true(!f.excerpt || !f.excerpt[0]);
    }
}

static void a_neighbour_with_a_password_is_not_quoted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a; alter role r password 'geheim'; b",
        "b; a; alter role r Password 'geheim'",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(fail) struct fail f = FAIL_NONE;
        SCOPED(script)
        struct script *s = script_open_memory(str_of(texts[i]), STR("m.sql"), &plain);
        struct script_batch batch;
        assert_true(script_next(s, &batch, &f));
        fail_set(&f, EXIT_FAILED, "no such table");
        script_locate(s, &batch.statements[0], 0, &f);
        assert_int_equal(f.line, 1);
        assert_true(!f.excerpt || !f.excerpt[0]);
    }
}

/* ---- what is no text ---- */

struct bad_case {
    const char *text;
    size_t len;
    uint32_t line, column;
    const char *message;
};

static const struct bad_case bad[] = {
    {"a;\nb\xFF;", 7, 2, 2, "0xff"},
    {"a\0b", 3, 1, 2, "NUL"},
    {"\xFF\xFE"
     "a\0",
     4, 1, 1, "0xff"},
    {"a;\n\xC3", 4, 2, 1, "0xc3"},
};

static void what_is_no_utf_8_fails_with_its_place(void **state)
{
    (void)state;
    const char *directory = fixture_directory();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        fixture_write_bytes(directory, "a.sql", bad[i].text, bad[i].len);
        struct migration m = migration_of(fixture_path(directory, "a.sql"), "");
        SCOPED(script) struct script *s = script_open(&m, false, &plain, &f);
        struct checksums sums;
        assert_false(read_all(s, &got, &sums, &f));
        assert_non_null(strstr(f.message, bad[i].message));
        assert_int_equal(f.line, bad[i].line);
        assert_int_equal(f.column, bad[i].column);
        assert_int_equal(f.code, EXIT_FAILED);
        assert_non_null(f.hint);
    }
}

static void data_without_an_end_fail(void **state)
{
    (void)state;
    static const char *const texts[] = {"COPY t;\n1\n", "COPY t;", "COPY t;\n1\n\\.x"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        SCOPED(script) struct script *s = script_open_memory(str_of(texts[i]), STR("m"), &plain);
        struct checksums sums;
        assert_false(read_all(s, &got, &sums, &f));
        assert_non_null(strstr(f.message, "COPY"));
        assert_non_null(f.hint);
    }
}

/* ---- size ---- */

/* A text many windows long, with statements, characters of several bytes and data across all borders. */
static void windows_make_no_difference(void **state)
{
    (void)state;
    SCOPED(buf) struct buf text = {0};
    SCOPED(buf) struct buf expected = {0};
    for (unsigned i = 0; i < 40000; i++) {
        buf_printf(&text, "insert %u 'ü€𝄞';\n", i);
        buf_printf(&expected, "%u:1 insert %u 'ü€𝄞'|", i + 1, i);
    }
    buf_add_cstr(&text, "COPY t;\n");
    buf_printf(&expected, "40001:1 COPY t|<");
    for (unsigned i = 0; i < 60000; i++) {
        buf_printf(&text, "%u\tü€𝄞;\n", i);
        buf_printf(&expected, "%u\tü€𝄞;\n", i);
    }
    buf_add_cstr(&text, "\\.\nlast");
    buf_printf(&expected, ">100003:1 last|");
    const char *directory = fixture_directory();
    fixture_write(directory, "a.sql", buf_cstr(&text));
    struct migration m = migration_of(fixture_path(directory, "a.sql"), "");
    for (int has_placeholders = 0; has_placeholders < 2; has_placeholders++) {
        m.has_placeholders = has_placeholders;
        SCOPED(buf) struct buf got = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        SCOPED(script) struct script *s = script_open(&m, false, &plain, &f);
        struct checksums sums;
        if (!read_all(s, &got, &sums, &f))
            fail_msg("%s", f.message);
        assert_true(str_equal(buf_str(&got), buf_str(&expected)));
    }
}

static void a_statement_just_over_the_limit_fails(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        SCOPED(buf) struct buf text = {0};
        SCOPED(fail) struct fail f = FAIL_NONE;
        buf_add_cstr(&text, "a;\n");
        assert_true(buf_reserve(&text, LIMIT_STATEMENT_BYTES + 8));
        memset(text.at + text.len, 'x', LIMIT_STATEMENT_BYTES + over);
        text.len += LIMIT_STATEMENT_BYTES + over;
        buf_add_cstr(&text, ";");
        SCOPED(script) struct script *s = script_open_memory(buf_str(&text), STR("m"), &plain);
        struct script_batch batch = {.count = 1};
        bool is_read = true;
        while (is_read && batch.count)
            is_read = script_next(s, &batch, &f);
        assert_int_equal(is_read, over == 0);
        assert_int_equal(f.line, over ? 2 : 0);
        assert_true(!over || strstr(f.message, "longer than"));
    }
}

static void failures_are_located_within_statements(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(script)
    struct script *s =
        script_open_memory(STR("a;\n  select ü\n from nowhere; b"), STR("m.sql"), &plain);
    struct script_batch batch;
    assert_true(script_next(s, &batch, &f));
    fail_set(&f, EXIT_FAILED, "no such table");
    script_locate(s, &batch.statements[1], 16, &f);
    assert_string_equal(f.file, "m.sql");
    assert_int_equal(f.line, 3);
    assert_int_equal(f.column, 7);
    assert_string_equal(f.excerpt, " from nowhere; b");
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct migration m = migration_of("/nowhere/a.sql", "");
    assert_null(script_open(&m, false, &plain, &f));
    assert_int_equal(f.kind, FAIL_NOT_FOUND);
    assert_non_null(strstr(f.message, "/nowhere/a.sql"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_are_read_to_their_end),
        cmocka_unit_test(a_part_of_a_file_is_read_and_all_of_it_digested),
        cmocka_unit_test(placeholders_are_replaced_whatever_their_case),
        cmocka_unit_test(placeholders_that_make_too_much_of_a_line_are_refused),
        cmocka_unit_test(a_placeholder_without_value_fails_with_its_place),
        cmocka_unit_test(a_line_with_a_password_is_not_quoted),
        cmocka_unit_test(a_neighbour_with_a_password_is_not_quoted),
        cmocka_unit_test(what_is_no_utf_8_fails_with_its_place),
        cmocka_unit_test(data_without_an_end_fail),
        cmocka_unit_test(windows_make_no_difference),
        cmocka_unit_test(a_statement_just_over_the_limit_fails),
        cmocka_unit_test(failures_are_located_within_statements),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("core/model/script", tests, NULL, NULL);
}
