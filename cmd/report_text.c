/* The plan for a terminal: a table for each migration, then its findings with the line and a caret. */
#include "cmd/report.h"
#include "cmd/terminal.h"
#include "core/base/text.h"

#define SQL_SHOWN 60
#define EXCERPT_COLUMNS 100
#define PROSE_COLUMNS 76
/* A step of more lines than LONGEST shows the first SHOWN: its point is in the sentence above it. */
#define STEP_LINES_LONGEST 12
#define STEP_LINES_SHOWN 8

static enum ink level_ink(const struct hazard *h)
{
    return h->level == HAZARD_BLOCK ? INK_BAD : h->level == HAZARD_WARN ? INK_WARN : INK_DIM;
}

/* The strongest lock on a table and what is done under it, in a few words. */
static const char *takes(struct arena *a, const struct effects *e)
{
    enum lock_mode strongest = LOCK_NONE;
    if (!e)
        return "";
    if (e->opaque)
        return "not known";
    for (size_t i = 0; i < e->locks.count; i++) {
        const struct effect_lock *l = &e->locks.at[i];
        bool is_index = l->kind == RELATION_INDEX || l->kind == RELATION_PARTITIONED_INDEX;
        if (!is_index && l->mode > strongest)
            strongest = l->mode;
    }
    const char *what = e->rewrites.count ? ", rewrite"
                       : e->builds.count ? ", build"
                       : e->scans.count  ? ", scan"
                                         : "";
    return arena_printf(a, "%s%s", lock_mode_sql(strongest),
                        strongest ? what
                        : what[0] ? what + 2
                                  : "");
}

static void print_table(struct arena *a, const struct planned_migration *m)
{
    static const char *const headings[] = {"LINE",        "KIND",  "CLASS",
                                           "TRANSACTION", "TAKES", "STATEMENT"};
    struct table *t = table_make(a, headings, ARRAY_LEN(headings));
    for (size_t i = 0; i < m->statements.count; i++) {
        const struct planned_statement *s = &m->statements.at[i];
        bool is_additive = s->statement.class == CLASS_ADDITIVE;
        const char *cells[] = {
            arena_printf(a, "%u", s->statement.line),
            s->statement.kind[0] ? s->statement.kind : "not analysed",
            statement_class_name(s->statement.class),
            s->runs_online        ? "by step"
            : s->is_transactional ? "yes"
                                  : "no",
            s->runs_online ? "online form" : takes(a, s->effects),
            arena_cstr(a, report_short_sql(a, s->statement.text, SQL_SHOWN)),
        };
        table_add(t, cells, 2, is_additive ? INK_GOOD : INK_BAD);
    }
    if (table_rows(t))
        table_print(t);
}

/* The line and a caret under the place, long lines from there on. */
static void print_excerpt(const struct report_finding *f)
{
    if (!f->excerpt.len)
        return;
    struct str line = f->excerpt;
    size_t caret = f->caret;
    bool is_cut = caret > EXCERPT_COLUMNS / 2;
    if (is_cut) {
        line = str_skip(line, text_offset_of_character(line, caret));
        caret = 0;
    }
    struct str to_caret = {line.at, text_offset_of_character(line, caret)};
    terminal_print("%6u | %s%.*s\n", f->line, is_cut ? "…" : "",
                   STR_ARG(terminal_cut(line, EXCERPT_COLUMNS)));
    terminal_print("       | %s%*s%s^%s\n", is_cut ? " " : "", (int)text_width(to_caret), "",
                   ink_on(INK_BAD), ink_off(INK_BAD));
}

static void print_finding(const struct report_finding *f)
{
    const struct hazard *h = f->hazard;
    if (h->settled_by) {
        terminal_print("%ssettled%s %s: %s\n", ink_on(INK_GOOD), ink_off(INK_GOOD), h->rule->id,
                       h->message);
        terminal_print("  at %.*s:%u:%u, settled by its online form (%s)\n", STR_ARG(f->path),
                       f->line, f->column, h->settled_by);
        return;
    }
    terminal_print("%s%s%s %s: %s\n", ink_on(level_ink(h)),
                   h->waiver ? "waived" : hazard_level_name(h->level), ink_off(level_ink(h)),
                   h->rule->id, h->message);
    terminal_print("  at %.*s:%u:%u\n", STR_ARG(f->path), f->line, f->column);
    if (h->waiver) {
        terminal_print("  waived in line %u: %s\n", h->waiver_line, h->waiver);
        return;
    }
    print_excerpt(f);
    if (h->exempted_by)
        terminal_print("  lowered, since %s\n", h->exempted_by);
    terminal_print("  fix: %s\n", h->fix);
}

/* Lines of words, as wide as everybody's terminal. */
static void print_wrapped(const char *text)
{
    struct str rest = str_of(text);
    while (rest.len) {
        size_t len = rest.len;
        if (len > PROSE_COLUMNS) {
            for (len = PROSE_COLUMNS; len && rest.at[len] != ' ';)
                len--;
            len = len ? len : rest.len;
        }
        terminal_print("    %.*s\n", (int)len, rest.at);
        rest = str_trim(str_skip(rest, len));
    }
}

static size_t count_lines(struct str text)
{
    size_t lines = 0;
    for (struct str line; text.len; lines++)
        text = str_cut_line(text, &line);
    return lines;
}

static void print_step_sql(struct str sql, bool in_full)
{
    size_t lines = count_lines(sql);
    size_t shown = in_full || lines <= STEP_LINES_LONGEST ? lines : STEP_LINES_SHOWN;
    struct str line;
    for (size_t i = 0; i < shown; i++) {
        sql = str_cut_line(sql, &line);
        terminal_print("       %.*s%s\n", STR_ARG(line), sql.len ? "" : ";");
    }
    if (shown < lines)
        terminal_print("       -- and %zu lines more: -v shows them\n", lines - shown);
}

/* What is sent in place of a statement. */
static void print_online(const struct planned_statement *p, bool in_full)
{
    const struct online_form *form = p->online;
    terminal_print(p->runs_online ? "  line %u runs in its online form (%s)\n"
                                  : "  line %u has an online form (%s): --rewrite auto runs it\n",
                   p->statement.line, form->recipe);
    print_wrapped(form->why);
    for (size_t i = 0; i < form->steps.count; i++) {
        const struct online_step *s = &form->steps.at[i];
        if (s->waits && (!i || !form->steps.at[i - 1].waits))
            terminal_print(
                "    -- from here on `migrate contract` runs it, when the soak is over\n");
        if (s->waits_again && (!i || !form->steps.at[i - 1].waits_again))
            terminal_print("    -- from here on the next `migrate contract`, after another soak\n");
        terminal_print("    %zu. %s: %s\n", i + 1, phase_name(s->phase), s->does);
        if (s->refuses_transaction)
            terminal_print("       -- outside a transaction\n");
        print_step_sql(s->sql, in_full);
    }
}

static void print_remarks(const struct planned_migration *m, bool in_full)
{
    for (size_t i = 0; i < m->statements.count; i++) {
        const struct planned_statement *p = &m->statements.at[i];
        const struct statement *s = &p->statement;
        if (!s->is_analysed)
            terminal_print("  line %u: not analysed, so it counts as destructive%s%s\n", s->line,
                           s->not_analysed_reason ? ": " : "",
                           s->not_analysed_reason ? s->not_analysed_reason : "");
        else if (s->class != CLASS_ADDITIVE && s->class_reason)
            terminal_print("  line %u: destructive: %s\n", s->line, s->class_reason);
        if (p->online)
            print_online(p, in_full);
        if (p->why_not_online) {
            terminal_print("  line %u runs as it is written\n", s->line);
            print_wrapped(p->why_not_online);
        }
        if (s->is_analysed && p->effects && p->effects->failure)
            terminal_print("  line %u: the server will refuse it: %s\n", s->line,
                           p->effects->failure);
        if (p->effects && p->effects->opaque && s->is_analysed)
            terminal_print("  line %u: not looked into: %s\n", s->line, p->effects->opaque);
        if (p->effects && p->effects->missing)
            terminal_print("  line %u: %s\n", s->line, p->effects->missing);
    }
    for (size_t i = 0; i < m->warnings.count; i++)
        terminal_print("  %swarning%s: %s\n", ink_on(INK_WARN), ink_off(INK_WARN),
                       m->warnings.at[i]);
}

/* *at: the first of its findings, which are in the order of the migrations; moved behind them. */
static void print_migration(struct arena *a, const struct report *r,
                            const struct planned_migration *m, size_t *at)
{
    const struct migration *file = m->migration;
    bool is_plain_file = !file->version.len && !file->description.len;
    struct str label = file->version.len ? file->version : file->script;
    if (is_plain_file)
        label = file->path;
    terminal_print("%s%.*s%s  ", ink_on(INK_BOLD), STR_ARG(label), ink_off(INK_BOLD));
    if (!is_plain_file)
        terminal_print("%.*s  ", STR_ARG(file->description));
    terminal_print("%s%s%s", ink_on(m->class == CLASS_ADDITIVE ? INK_GOOD : INK_BAD),
                   statement_class_name(m->class), ink_off(INK_GOOD));
    if (!is_plain_file)
        terminal_print("  (%.*s)", STR_ARG(file->path));
    putchar('\n');
    if (m->is_streamed)
        terminal_print("  %llu statements in %u step%s; too large to list\n",
                       (unsigned long long)m->statement_count, m->unit_count,
                       m->unit_count == 1 ? "" : "s");
    print_table(a, m);
    print_remarks(m, r->is_verbose);
    while (*at < r->findings.count && r->findings.at[*at].migration == m)
        print_finding(&r->findings.at[(*at)++]);
    putchar('\n');
}

void report_text(struct arena *a, const struct report *r)
{
    const struct plan *plan = r->plan;
    size_t at = 0;
    while (at < r->findings.count && !r->findings.at[at].migration)
        print_finding(&r->findings.at[at++]);
    if (plan->count == 0) {
        if (!r->base)
            puts("nothing to do");
        else if (!r->findings.count)
            terminal_print("nothing to do: no migration is added to %s\n", r->base);
        else
            terminal_print("no migration is added to %s; %s\n", r->base, report_counts(a, r));
        return;
    }
    for (size_t i = 0; i < plan->count; i++)
        print_migration(a, r, &plan->migrations[i], &at);
    terminal_print("%zu migration%s to run, %zu destructive; %s; plan %.12s\n", plan->count,
                   plan->count == 1 ? "" : "s", r->destructive, report_counts(a, r),
                   plan->digest.hex);
}
