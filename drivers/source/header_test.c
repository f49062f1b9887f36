/* What the text of a file says, whole and cut in two at every byte. */
#include "drivers/source/header.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/buf.h"

struct row {
    const char *what;
    enum layout layout;
    enum engine engine;
    bool is_one_way;
    const char *text;
    /* What is expected: of up and down their texts. */
    const char *up;
    const char *down; /* NULL: none */
    enum transaction_mode transaction;
    uint32_t lock_timeout_ms, statement_timeout_ms;
    const char *message; /* or a failure: part of its message, */
    uint32_t line;       /* and its line */
};

#define UP "-- +goose Up\n"
#define NONE TRANSACTION_NONE

static const struct row rows[] = {
    {"empty", LAYOUT_PLAIN, .text = "", .up = ""},
    {"plain", LAYOUT_PLAIN, .text = "SELECT 1;", .up = "SELECT 1;"},
    {"directives at the top", LAYOUT_PLAIN,
     .text = "-- what it does\n\n-- migrate: no-transaction\n"
             "-- migrate: timeout lock=2s statement=1m\n"
             "VACUUM;\n",
     .up = "-- what it does\n\n-- migrate: no-transaction\n"
           "-- migrate: timeout lock=2s statement=1m\n"
           "VACUUM;\n",
     .transaction = NONE, .lock_timeout_ms = 2000, .statement_timeout_ms = 60000},
    {"directives behind a byte order mark, CRLF", LAYOUT_PLAIN,
     .text = "\xEF\xBB\xBF-- migrate: no-transaction\r\nVACUUM;\r\n",
     .up = "\xEF\xBB\xBF-- migrate: no-transaction\r\nVACUUM;\r\n", .transaction = NONE},
    {"a directive behind SQL is for the statement after it", LAYOUT_PLAIN,
     .text = "SELECT 1;\n-- migrate: no-transaction\nVACUUM;",
     .up = "SELECT 1;\n-- migrate: no-transaction\nVACUUM;"},
    {"directives behind a block comment", LAYOUT_PLAIN,
     .text = "/* a\n b */ /* c */\n-- migrate: no-transaction\n", .transaction = NONE,
     .up = "/* a\n b */ /* c */\n-- migrate: no-transaction\n"},
    {"directives in a block comment are none", LAYOUT_PLAIN,
     .text = "/*\n-- migrate: no-transaction\n*/ SELECT 1;",
     .up = "/*\n-- migrate: no-transaction\n*/ SELECT 1;"},
    {"block comments nest in PostgreSQL", LAYOUT_PLAIN, ENGINE_POSTGRES,
     .text = "/* /* */\n-- migrate: no-transaction\n*/",
     .up = "/* /* */\n-- migrate: no-transaction\n*/"},
    {"block comments do not nest in SQLite", LAYOUT_PLAIN, ENGINE_SQLITE,
     .text = "/* /* */\n-- migrate: no-transaction\n", .transaction = NONE,
     .up = "/* /* */\n-- migrate: no-transaction\n"},
    {"a comment behind a block comment is no directive", LAYOUT_PLAIN,
     .text = "/* x */ -- migrate: nonsense\n", .up = "/* x */ -- migrate: nonsense\n"},
    {"an unknown directive", LAYOUT_PLAIN, .text = "\n-- migrate: nonsense\n",
     .message = "unknown directive", .line = 2},
    {"a second directive adds to the first", LAYOUT_PLAIN,
     .text = "-- migrate: timeout lock=1s\n-- migrate: timeout statement=2s\n",
     .up = "-- migrate: timeout lock=1s\n-- migrate: timeout statement=2s\n",
     .lock_timeout_ms = 1000, .statement_timeout_ms = 2000},

    {"goose", LAYOUT_GOOSE, .text = UP "A;\n-- +goose Down\nB;\n", .up = "A;\n", .down = "B;\n"},
    {"goose without down", LAYOUT_GOOSE, .text = UP "A;", .up = "A;"},
    {"goose without anything", LAYOUT_GOOSE, .text = "-- +goose Up", .up = ""},
    {"goose, CRLF and capitals", LAYOUT_GOOSE, .text = "--+GOOSE UP\r\nA;\r\n-- +goose DOWN\r\nB;",
     .up = "A;\r\n", .down = "B;"},
    {"goose without transaction, below", LAYOUT_GOOSE, .text = UP "A;\n-- +goose NO TRANSACTION\n",
     .up = "A;\n-- +goose NO TRANSACTION\n", .transaction = NONE},
    {"goose, statement marks", LAYOUT_GOOSE,
     .text = UP "-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n-- +goose ENVSUB OFF\n",
     .up = "-- +goose StatementBegin\nA;\n-- +goose StatementEnd\n-- +goose ENVSUB OFF\n"},
    {"goose, a directive above and below the marker", LAYOUT_GOOSE,
     .text = "-- migrate: timeout lock=1s\n" UP "-- migrate: no-transaction\nA;\n",
     .up = "-- migrate: no-transaction\nA;\n", .transaction = NONE, .lock_timeout_ms = 1000},
    {"goose, environment variables", LAYOUT_GOOSE, .text = UP "-- +goose ENVSUB ON\nA ${B};",
     .message = "environment variables", .line = 2},
    {"goose, an indented annotation", LAYOUT_GOOSE, .text = UP "A;\n  -- +goose Down\n",
     .message = "first column", .line = 3},
    {"goose, an unknown annotation", LAYOUT_GOOSE, .text = UP "-- +goose Dwon\n",
     .message = "unknown goose annotation", .line = 2},
    {"goose, two words between", LAYOUT_GOOSE, .text = UP "-- see +goose down\n",
     .message = "unknown goose annotation", .line = 2},
    {"goose, two ups", LAYOUT_GOOSE, .text = UP "A;\n" UP, .message = "a second", .line = 3},
    {"goose, two downs", LAYOUT_GOOSE, .text = UP "-- +goose Down\n-- +goose Down\n",
     .message = "a second", .line = 3},
    {"goose, down first", LAYOUT_GOOSE, .text = "-- +goose Down\nB;\n" UP,
     .message = "before the up part", .line = 1},
    {"goose, SQL first", LAYOUT_GOOSE, .text = "SELECT 1;\n" UP, .message = "SQL in front",
     .line = 1},
    {"goose, nothing marked", LAYOUT_GOOSE, .text = "-- a comment\n",
     .message = "no line \"-- +goose Up\"", .line = 1},
    {"goose, dbmate's marker", LAYOUT_GOOSE, .text = UP "-- migrate:down\n",
     .message = "marked for dbmate", .line = 2},

    {"dbmate", LAYOUT_DBMATE, .text = "-- x\n\n-- migrate:up\nA;\n-- migrate:down\nB;\n",
     .up = "A;\n", .down = "B;\n"},
    {"dbmate without transaction", LAYOUT_DBMATE, .text = "--migrate:up transaction:false\nA;\n",
     .up = "A;\n", .transaction = NONE},
    {"dbmate, with transaction", LAYOUT_DBMATE, .text = "--  migrate:up  transaction:true \nA;\n",
     .up = "A;\n"},
    {"dbmate, only the way back without", LAYOUT_DBMATE,
     .text = "-- migrate:up\nA;\n-- migrate:down transaction:false\nB;", .up = "A;\n",
     .down = "B;"},
    {"dbmate, an indented marker is none", LAYOUT_DBMATE,
     .text = "-- migrate:up\nA;\n  -- migrate:down\nB;", .up = "A;\n  -- migrate:down\nB;"},
    {"dbmate, an unknown option", LAYOUT_DBMATE, .text = "-- migrate:up transactions:false\n",
     .message = "unknown option \"transactions:false\"", .line = 1},
    {"dbmate, several pairs", LAYOUT_DBMATE,
     .text = "-- migrate:up\nA;\n-- migrate:down\nB;\n-- migrate:up\nC;\n-- migrate:down\nD;\n",
     .message = "a second \"-- migrate:up\"", .line = 5},
    {"dbmate, nothing marked", LAYOUT_DBMATE, .text = "", .message = "no line", .line = 1},
    {"dbmate, SQL first", LAYOUT_DBMATE, .text = "\nSELECT 1; -- migrate:up\n-- migrate:up\n",
     .message = "SQL in front", .line = 2},

    {"goose's marker in plain files", LAYOUT_PLAIN, .text = "-- +goose Up\nA;\n-- +goose Down\nB;",
     .message = "marked for goose, but is read as plain", .line = 1},
    {"dbmate's marker in flyway's", LAYOUT_FLYWAY, .text = "A;\n-- migrate:down\nB;",
     .message = "marked for dbmate", .line = 2},
    {"Liquibase's marker", LAYOUT_FLYWAY, .text = "\n  -- Liquibase  formatted sql\n",
     .message = "marked for Liquibase", .line = 2},
    {"MyBatis' separator", LAYOUT_PLAIN, .text = "A;\n-- //@UNDO\nB;",
     .message = "marked for MyBatis", .line = 2},
    {"Atlas' delimiter", LAYOUT_PLAIN, .text = "-- atlas:delimiter \\n\\n\nA", .message = "Atlas",
     .line = 1},
    {"Atlas' other directives", LAYOUT_PLAIN, .text = "-- atlas:nolint\nA",
     .up = "-- atlas:nolint\nA"},
    {"a heading in a file of one direction", LAYOUT_PLAIN, .is_one_way = true,
     .text = "-- Up Migration\nA", .up = "-- Up Migration\nA"},
    {"the same where the file has both", LAYOUT_PLAIN, .text = "-- Up Migration\nA",
     .message = "node-pg-migrate", .line = 1},
    {"breakpoints are comments", LAYOUT_DRIZZLE, .text = "A;\n--> statement-breakpoint\nB;",
     .up = "A;\n--> statement-breakpoint\nB;"},
};

static bool read_cut(const struct row *row, size_t cut, struct header *out, struct fail *f)
{
    struct header_rules rules = {
        .layout = row->layout, .engine = row->engine, .is_one_way = row->is_one_way};
    struct str text = str_of(row->text);
    static struct header_scan s;
    header_scan_start(&s, rules, STR("x.sql"));
    return header_scan_add(&s, (struct str){.at = text.at, .len = cut}, f) &&
           header_scan_add(&s, str_skip(text, cut), f) && header_scan_finish(&s, out, f);
}

static void check_range(const struct row *row, struct file_range range, const char *expected)
{
    struct str text = str_of(row->text);
    size_t to = range.to == UINT64_MAX ? text.len : (size_t)range.to;
    struct str actual = {.at = text.at + range.from, .len = to - (size_t)range.from};
    if (!str_equal(actual, str_of(expected)))
        fail_msg("%s: \"%.*s\"", row->what, STR_ARG(actual));
}

static void check_cut(const struct row *row, size_t cut)
{
    struct header h;
    struct fail f = FAIL_NONE;
    bool is_read = read_cut(row, cut, &h, &f);
    if (is_read != (row->message == NULL))
        fail_msg("%s, cut at %zu: %s", row->what, cut, is_read ? "was read" : f.message);
    if (!is_read) {
        if (!strstr(f.message, row->message) || f.line != row->line || !f.hint)
            fail_msg("%s: line %u, %s", row->what, f.line, f.message);
        assert_string_equal(f.file, "x.sql");
        assert_int_equal(f.code, EXIT_USAGE);
        fail_clear(&f);
        return;
    }
    check_range(row, h.up, row->up);
    assert_int_equal(h.has_down, row->down != NULL);
    if (row->down)
        check_range(row, h.down, row->down);
    if (h.transaction != row->transaction || h.lock_timeout_ms != row->lock_timeout_ms ||
        h.statement_timeout_ms != row->statement_timeout_ms)
        fail_msg("%s, cut at %zu: %d %u %u", row->what, cut, h.transaction, h.lock_timeout_ms,
                 h.statement_timeout_ms);
}

static void each_text_says_what_it_says_wherever_it_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t cut = 0; cut <= strlen(rows[i].text); cut++)
            check_cut(&rows[i], cut);
}

static void placeholders_and_opt_outs_are_seen_across_pieces(void **state)
{
    (void)state;
    const struct row row = {.layout = LAYOUT_SQLX, .text = "-- no-transaction\nSELECT '${a}';"};
    const struct row none = {.layout = LAYOUT_SQLX, .text = " -- no-transaction\nSELECT '$ {a}';"};
    struct fail f = FAIL_NONE;
    struct header h;
    for (size_t cut = 0; cut <= strlen(row.text); cut++) {
        assert_true(read_cut(&row, cut, &h, &f));
        assert_true(h.has_placeholder && h.is_sqlx_opt_out);
        assert_true(read_cut(&none, cut, &h, &f));
        assert_false(h.has_placeholder || h.is_sqlx_opt_out);
    }
}

/* "-- migrate: using forward=" and then blanks, so that the whole line has len bytes. */
static struct str directive_of(struct buf *text, size_t len)
{
    buf_clear(text);
    buf_add_cstr(text, "-- migrate: using forward=x");
    while (text->len < len)
        buf_add_char(text, '+');
    buf_add_cstr(text, "\nSELECT 1;");
    return buf_str(text);
}

static void a_directive_may_fill_the_line_and_no_more(void **state)
{
    (void)state;
    SCOPED(buf) struct buf text = {0};
    struct header_rules rules = {.layout = LAYOUT_PLAIN};
    struct fail f = FAIL_NONE;
    struct header h;
    assert_true(header_read(directive_of(&text, HEADER_LINE_BYTES), rules, STR("x"), &h, &f));
    assert_false(header_read(directive_of(&text, HEADER_LINE_BYTES + 1), rules, STR("x"), &h, &f));
    assert_non_null(strstr(f.message, "longer than"));
    fail_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_says_what_it_says_wherever_it_is_cut),
        cmocka_unit_test(placeholders_and_opt_outs_are_seen_across_pieces),
        cmocka_unit_test(a_directive_may_fill_the_line_and_no_more),
    };
    return cmocka_run_group_tests_name("header", tests, NULL, NULL);
}
