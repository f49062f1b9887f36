/* migrate explain: the texts of the hazards, from their rows. docs/hazards.md is the same in Markdown. */
#include "cmd/command.h"
#include "cmd/terminal.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "planner/rules.h"

#define TEXT_COLUMNS 100

static const char *engine_text(const struct hazard_rule *r)
{
    return r->engine == ENGINE_SQLITE ? "SQLite" : "PostgreSQL";
}

/* "since PostgreSQL 17", "up to PostgreSQL 10"; "" : all versions that are known. */
static const char *versions_text(struct arena *a, const struct hazard_rule *r)
{
    if (r->since && r->until)
        return arena_printf(a, "%s %u to %u", engine_text(r), r->since, r->until);
    if (r->since)
        return arena_printf(a, "since %s %u", engine_text(r), r->since);
    return r->until ? arena_printf(a, "up to %s %u", engine_text(r), r->until) : engine_text(r);
}

static const char *exemptions_text(const struct hazard_rule *r)
{
    bool is_small = r->exemptions & EXEMPT_SMALL;
    bool is_empty = r->exemptions & EXEMPT_EMPTY;
    if (is_small)
        return "Silent where its table was made in the same migration or is certainly empty; one "
               "level lower where the table is certainly small (up to 10000 rows).";
    if (is_empty)
        return "Silent where its table was made in the same migration or is certainly empty.";
    if (r->exemptions & EXEMPT_NEW)
        return "Silent where its object was made in the same migration.";
    return "";
}

/* ---- text ---- */

static void print_wrapped(const char *text, const char *indent)
{
    struct str rest = str_of(text);
    size_t used = 0;
    while (rest.len) {
        struct str word;
        rest = str_cut(rest, ' ', &word);
        if (used && used + text_width(word) + 1 > TEXT_COLUMNS) {
            putchar('\n');
            used = 0;
        }
        if (!used)
            printf("%s%.*s", indent, STR_ARG(word));
        else
            printf(" %.*s", STR_ARG(word));
        used += (used ? 1 : strlen(indent)) + text_width(word);
    }
    putchar('\n');
}

static void print_sql(const char *sql, const char *indent)
{
    struct str rest = str_of(sql);
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        printf("%s%.*s\n", indent, STR_ARG(line));
    }
}

static void print_text(struct arena *a, const struct hazard_rule *r)
{
    printf("%s%s%s: %s\n", ink_on(INK_BOLD), r->id, ink_off(INK_BOLD), r->title);
    printf("level %s; %s\n\n", hazard_level_name(r->level), versions_text(a, r));
    print_wrapped(r->why, "");
    if (exemptions_text(r)[0]) {
        putchar('\n');
        print_wrapped(exemptions_text(r), "");
    }
    puts("\nfound in:");
    print_sql(r->example, "    ");
    puts("\nwhat to do:");
    print_wrapped(r->fix, "  ");
    if (r->safe) {
        puts("\nwithout harm:");
        print_sql(r->safe, "    ");
    }
    printf("\nsources: %s\n", r->sources);
}

static void print_list(struct arena *a, const struct hazard_rule *const *rules, size_t count)
{
    static const char *const headings[] = {"HAZARD", "LEVEL", "ENGINE", "WHAT"};
    struct table *t = table_make(a, headings, ARRAY_LEN(headings));
    for (size_t i = 0; i < count; i++) {
        const char *cells[] = {rules[i]->id, hazard_level_name(rules[i]->level),
                               engine_text(rules[i]), rules[i]->title};
        table_add(t, cells, 1,
                  rules[i]->level == HAZARD_BLOCK  ? INK_BAD
                  : rules[i]->level == HAZARD_WARN ? INK_WARN
                                                   : INK_PLAIN);
    }
    table_print(t);
}

/* ---- JSON ---- */

static struct json *rule_json(const struct hazard_rule *r)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "id", r->id);
    json_set_cstr(j, "level", hazard_level_name(r->level));
    json_set_cstr(j, "engine", engine_name(r->engine));
    json_set_cstr(j, "title", r->title);
    json_set_cstr(j, "why", r->why);
    json_set_cstr(j, "exemptions", exemptions_text(r));
    json_set_cstr(j, "fix", r->fix);
    json_set_cstr(j, "example", r->example);
    json_set_cstr(j, "safe", r->safe);
    json_set_cstr(j, "sources", r->sources);
    return j;
}

static void print_json(const struct hazard_rule *const *rules, size_t count)
{
    SCOPED(json) struct json *list = json_make_array();
    for (size_t i = 0; i < count; i++)
        json_push(list, rule_json(rules[i]));
    SCOPED(buf) struct buf text = {0};
    json_print(&text, list, true);
    puts(buf_cstr(&text));
}

/* ---- Markdown ---- */

static void print_markdown_rule(struct arena *a, const struct hazard_rule *r)
{
    printf("\n## %s\n\n%s · %s · %s\n\n%s\n", r->id, r->title, hazard_level_name(r->level),
           versions_text(a, r), r->why);
    if (exemptions_text(r)[0])
        printf("\n%s\n", exemptions_text(r));
    printf("\n```sql\n%s\n```\n\n%s\n", r->example, r->fix);
    if (r->safe)
        printf("\n```sql\n%s\n```\n", r->safe);
    printf("\nSources: %s\n", r->sources);
}

static void print_markdown(struct arena *a, const struct hazard_rule *const *rules, size_t count)
{
    puts("# Hazards\n\n"
         "Written by `make docs` from the rules themselves; `migrate explain HAZARD` prints the "
         "same.\n\n"
         "Levels: `block` (the gate refuses until the statement is rewritten, or allowed with a "
         "reason), `warn`, `note`, and `off` (a note under\n"
         "`--profile strict`). migrator.yml sets them, by id:\n\n"
         "```yaml\npolicy:\n  hazards: { drop-index-performance: off, unnamed-constraint: warn "
         "}\n```\n\n"
         "A comment in front of a statement allows one finding of it, and needs a reason; in front "
         "of the first statement it is for the whole file:\n\n"
         "```sql\n-- migrate: allow drop-column reason=\"not read since release 41\"\n"
         "ALTER TABLE customers DROP COLUMN fax;\n```\n\n"
         "One that hits nothing is a finding itself (`unused-suppression`), and one of a hazard "
         "that there is not is an error.\n");
    puts("| hazard | level | what |\n|---|---|---|");
    for (size_t i = 0; i < count; i++)
        printf("| [%s](#%s) | %s | %s |\n", rules[i]->id, rules[i]->id,
               hazard_level_name(rules[i]->level), rules[i]->title);
    for (size_t i = 0; i < count; i++)
        print_markdown_rule(a, rules[i]);
}

enum exit_code cmd_explain(struct arena *a, const struct options *o, struct fail *f)
{
    const char *format = o->format ? o->format : "text";
    size_t count;
    const struct hazard_rule *const *rules = hazard_rules(&count);
    const struct hazard_rule *one = NULL;
    if (o->arguments.count) {
        one = hazard_rule_find(str_of(o->arguments.at[0]));
        if (!one) {
            fail_set(f, EXIT_USAGE, "there is no hazard \"%s\"", o->arguments.at[0]);
            const char *near = hazard_rule_like(str_of(o->arguments.at[0]));
            if (near)
                return fail_hint(f, "Did you mean \"%s\"?", near) ? EXIT_DONE : f->code;
            return fail_hint(f, "`migrate explain` lists the hazards.") ? EXIT_DONE : f->code;
        }
    }
    if (strcmp(format, "json") == 0) {
        print_json(one ? &one : rules, one ? 1 : count);
    } else if (strcmp(format, "markdown") == 0) {
        print_markdown(a, one ? &one : rules, one ? 1 : count);
    } else if (strcmp(format, "text") == 0) {
        if (one)
            print_text(a, one);
        else
            print_list(a, rules, count);
    } else {
        fail_set(f, EXIT_USAGE, "there is no format \"%s\"", format);
        fail_hint(f, "The formats are: text, json, markdown.");
        return f->code;
    }
    return EXIT_DONE;
}
