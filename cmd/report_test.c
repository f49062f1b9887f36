/* What renderers make of texts that would break their form, and what a fingerprint stands for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cmd/report.h"
#include "cmd/sarif_testing.h"
#include "core/base/text.h"
#include "core/base/vec.h"

static const struct hazard_rule rule = {
    .id = "drop-table",
    .level = HAZARD_BLOCK,
    .title = "a table is dropped",
    .why = "It is gone.",
    .fix = "Keep it.",
};
static const struct hazard_rule other_rule = {
    .id = "truncate",
    .level = HAZARD_WARN,
    .title = "a table is emptied",
    .why = "It is empty.",
    .fix = "Do not.",
};

struct bench {
    struct arena *a;
    struct plan plan;
    struct migration migration;
};

static struct bench make_bench(const char *path)
{
    struct bench b = {.a = arena_make()};
    b.migration = (struct migration){.path = arena_str(b.a, str_of(path)), .version = STR("1")};
    b.plan.count = 1;
    b.plan.migrations = arena_array(b.a, struct planned_migration, 1);
    b.plan.migrations[0] = (struct planned_migration){.class = CLASS_DESTRUCTIVE};
    return b;
}

static void add(struct bench *b, const struct hazard_rule *of, uint32_t line, const char *sql,
                const char *message)
{
    struct planned_migration *m = &b->plan.migrations[0];
    struct planned_statement s = {
        .statement = {.text = arena_str(b->a, str_of(sql)),
                      .line = line,
                      .column = 1,
                      .kind = "DROP TABLE",
                      .is_analysed = true,
                      .class = CLASS_DESTRUCTIVE},
    };
    struct hazard h = {.rule = of, .level = of->level, .message = message, .fix = of->fix};
    vec_push(b->a, &s.hazards, h);
    vec_push(b->a, &m->statements, s);
    m->statement_count++;
}

static struct report report_of(struct bench *b)
{
    b->plan.migrations[0].migration = &b->migration;
    struct report r = report_make(b->a, &b->plan, NULL);
    report_fingerprint(b->a, &r);
    return r;
}

static const char *rendered(struct bench *b,
                            void (*how)(struct arena *, const struct report *, struct buf *))
{
    SCOPED(buf) struct buf out = {0};
    struct report r = report_of(b);
    how(b->a, &r, &out);
    return arena_cstr(b->a, buf_str(&out));
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void a_comment_cannot_be_broken_out_of(void **state)
{
    (void)state;
    struct bench b = make_bench("db/a|b`c.sql");
    add(&b, &rule, 1, "DROP TABLE \"x`y|z\"", "@everyone <img src=x> |`\\* [a](b)\r\n\x1B[31m#12");
    const char *text = rendered(&b, report_markdown);
    assert_has(text, "&#64;everyone &lt;img src=x&gt; \\|\\`\\\\\\* \\[a\\](b)   \\[31m\\#12 |\n");
    assert_has(text, "| `db/a\\|b'c.sql:1` |");
    assert_has(text, "`DROP TABLE \"x'y\\|z\"`");
    assert_null(strchr(text, '\x1B'));
    assert_null(strstr(text, "@everyone"));
    arena_release(b.a);
}

static void a_comment_begins_with_what_blocks_and_folds_notes(void **state)
{
    (void)state;
    static const struct hazard_rule note = {
        .id = "standby", .level = HAZARD_NOTE, .title = "t", .why = "w.", .fix = "Wait."};
    struct bench b = make_bench("m/0001_a.sql");
    for (uint32_t line = 1; line <= 60; line++)
        add(&b, &note, line, "SELECT 1", "it goes to the replicas");
    add(&b, &other_rule, 61, "TRUNCATE t", "emptied");
    add(&b, &rule, 62, "DROP TABLE t", "dropped");
    const char *text = rendered(&b, report_markdown);
    const char *block = strstr(text, "| **block** | `m/0001_a.sql:62` |");
    const char *warning = strstr(text, "| warn | `m/0001_a.sql:61` |");
    const char *folded = strstr(text, "<details><summary>60 notes</summary>");
    assert_true(block && warning && folded && block < warning && warning < folded);
    assert_true(strstr(text, "| note |") > folded);
    assert_has(text, "\n10 more are in the log of the run.\n\n</details>");
    assert_has(text, "<summary>m/0001_a.sql (destructive, ");
    assert_null(strstr(text, "Wait."));
    arena_release(b.a);
}

static void a_comment_is_utf8_whatever_a_file_is_called(void **state)
{
    (void)state;
    struct bench b = make_bench("db/\xFF\xC3\xA9.sql");
    size_t valid;
    add(&b, &rule, 1, "DROP TABLE x", "gone");
    const char *text = rendered(&b, report_markdown);
    assert_has(text, "db/?\xC3\xA9.sql");
    assert_int_equal(text_find_invalid(str_of(text), true, &valid), SIZE_MAX);
    arena_release(b.a);
}

static void a_comment_fits_and_is_whole_however_large_the_plan(void **state)
{
    (void)state;
    struct bench b = make_bench("db/large.sql");
    const char *name = arena_printf(b.a, "DROP TABLE %0900d", 1);
    for (uint32_t i = 1; i <= 3000; i++)
        add(&b, &rule, i, name, arena_printf(b.a, "%0300u is gone", i));
    const char *text = rendered(&b, report_markdown);
    assert_true(strlen(text) < 65536);
    assert_has(text, "2950 more are in the log of the run.");
    size_t opened = 0;
    size_t closed = 0;
    for (const char *at = text; (at = strstr(at, "<details>")); at++)
        opened++;
    for (const char *at = text; (at = strstr(at, "</details>")); at++)
        closed++;
    assert_true(opened > 0);
    assert_int_equal(opened, closed);
    arena_release(b.a);
}

static void an_annotation_stays_on_its_line(void **state)
{
    (void)state;
    struct bench b = make_bench("db/a,b:c%.sql");
    add(&b, &rule, 7, "DROP TABLE x", "100%\r\n::error::injected");
    const char *text = rendered(&b, report_github);
    assert_string_equal(text, "::error file=db/a%2Cb%3Ac%25.sql,line=7,col=1,title=drop-table::"
                              "100%25%0D%0A::error::injected%0AKeep it.\n");
    arena_release(b.a);
}

static struct digest print_of(const char *path, uint32_t line, const char *sql, size_t which)
{
    struct bench b = make_bench(path);
    add(&b, &rule, line, sql, "gone");
    add(&b, &rule, line + 10, "DROP TABLE twice", "gone");
    add(&b, &rule, line + 20, "DROP TABLE twice", "gone");
    struct digest print = report_of(&b).findings.at[which].fingerprint;
    arena_release(b.a);
    return print;
}

static void a_fingerprint_is_of_the_statement_and_not_of_its_place(void **state)
{
    (void)state;
    struct digest first = print_of("a.sql", 1, "DROP TABLE x", 0);
    struct digest moved = print_of("a.sql", 90, "DROP  TABLE\n x", 0);
    struct digest another = print_of("a.sql", 1, "DROP TABLE y", 0);
    struct digest elsewhere = print_of("b.sql", 1, "DROP TABLE x", 0);
    struct digest twice = print_of("a.sql", 1, "DROP TABLE x", 1);
    struct digest again = print_of("a.sql", 1, "DROP TABLE x", 2);
    assert_true(digest_equal(&first, &moved));
    assert_false(digest_equal(&first, &another));
    assert_false(digest_equal(&first, &elsewhere));
    assert_false(digest_equal(&twice, &again));
}

static void a_finding_about_a_file_keeps_its_fingerprint_when_its_author_does_not(void **state)
{
    (void)state;
    struct digest prints[2];
    for (size_t i = 0; i < 2; i++) {
        struct bench b = make_bench("a.sql");
        struct file_finding file = {
            .path = STR("old.sql"),
            .line = (uint32_t)i + 3,
            .excerpt = STR("SELECT 1;"),
            .hazard = {.rule = &other_rule,
                       .level = HAZARD_WARN,
                       .message = i ? "by Ann" : "by Bob",
                       .fix = "Do not."},
        };
        vec_push(b.a, &b.plan.files, file);
        struct report r = report_of(&b);
        assert_int_equal(r.findings.count, 1);
        assert_int_equal(r.findings.at[0].line, i + 3);
        assert_int_equal(r.warnings, 1);
        prints[i] = r.findings.at[0].fingerprint;
        arena_release(b.a);
    }
    assert_true(digest_equal(&prints[0], &prints[1]));
}

static void sarif_holds_each_rule_once_and_waivers_as_suppressions(void **state)
{
    (void)state;
    struct bench b = make_bench("db/a b%.sql");
    add(&b, &rule, 1, "DROP TABLE x", "gone \x01\xFF");
    add(&b, &other_rule, 2, "TRUNCATE y", "empty");
    add(&b, &rule, 3, "DROP TABLE z", "gone");
    struct hazard *waived = &b.plan.migrations[0].statements.at[2].hazards.at[0];
    waived->waiver = "agreed";
    waived->level = HAZARD_NOTE;
    const char *text = rendered(&b, report_sarif);
    assert_int_equal(sarif_check(text), 3);
    assert_true(strlen(sarif_fingerprints(text)) == 3 * 65);
    assert_has(text, "\"justification\": \"agreed\"");
    assert_has(text, "\"uri\": \"db/a%20b%25.sql\"");
    const char *at = strstr(text, "\"id\": \"drop-table\"");
    assert_non_null(at);
    assert_null(strstr(at + 1, "\"id\": \"drop-table\""));
    arena_release(b.a);
}

static void what_an_online_form_settles_is_a_note_everywhere(void **state)
{
    (void)state;
    struct bench b = make_bench("a.sql");
    add(&b, &rule, 1, "DROP TABLE x", "it waits");
    struct planned_statement *s = &b.plan.migrations[0].statements.at[0];
    struct online_form form = {.recipe = "gently", .why = "As written it waits."};
    struct online_step step = {
        .does = "goes\x1B", .sql = STR("SELECT '````'"), .refuses_transaction = true};
    vec_push(b.a, &form.steps, step);
    s->online = &form;
    s->runs_online = true;
    s->hazards.at[0].settled_by = form.recipe;
    const char *said = "it waits%0ASettled by its online form (gently).\n";
    assert_has(rendered(&b, report_github), "::notice file=a.sql,line=1,");
    assert_has(rendered(&b, report_github), said);
    assert_has(rendered(&b, report_gitlab), "\"severity\": \"info\"");
    assert_has(rendered(&b, report_gitlab), "it waits. Settled by its online form (gently).");
    assert_has(rendered(&b, report_sarif), "\"level\": \"note\",\n          \"message\": {");
    assert_has(rendered(&b, report_sarif), "it waits. Settled by its online form (gently).");
    const char *text = rendered(&b, report_markdown);
    assert_has(text, "| settled | `a.sql:1` |");
    assert_has(text, "it waits (settled by its online form, `gently`) |\n");
    assert_has(text, "1 in its online form)</summary>");
    assert_has(text,
               "\n`````sql\n-- 1. expand: goes ; outside a transaction\nSELECT '````';\n`````\n");
    assert_null(strstr(text, "Keep it."));
    s->runs_online = false;
    assert_has(rendered(&b, report_markdown),
               "has an online form (`gently`), which `--rewrite auto`");
    arena_release(b.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comment_cannot_be_broken_out_of),
        cmocka_unit_test(a_comment_begins_with_what_blocks_and_folds_notes),
        cmocka_unit_test(a_comment_is_utf8_whatever_a_file_is_called),
        cmocka_unit_test(a_comment_fits_and_is_whole_however_large_the_plan),
        cmocka_unit_test(an_annotation_stays_on_its_line),
        cmocka_unit_test(a_fingerprint_is_of_the_statement_and_not_of_its_place),
        cmocka_unit_test(a_finding_about_a_file_keeps_its_fingerprint_when_its_author_does_not),
        cmocka_unit_test(sarif_holds_each_rule_once_and_waivers_as_suppressions),
        cmocka_unit_test(what_an_online_form_settles_is_a_note_everywhere),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
