/*
 * A comment for a pull request: what a reviewer must see comes first, the rest is folded. The first line
 * is a marker by which a script finds the comment to update; nothing in it changes without a reason, so
 * that an update with the same plan is the same text.
 */
#include "cmd/report.h"
#include "core/base/text.h"

#define MARKER "<!-- migrate plan -->\n"
/* Forges cut or refuse longer comments (GitHub: 65,536 characters). */
#define COMMENT_BYTES_MAX ((size_t)60000)
#define ROWS_MAX 50
#define SQL_SHOWN 70

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F;
}

/* Text in a table cell: no line ends, no pipes, nothing that Markdown or HTML would read. */
static void add_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c && strchr("|\\`*_[]#~$", c))
            buf_printf(out, "\\%c", c);
        else if (c == '<')
            buf_add_cstr(out, "&lt;");
        else if (c == '>')
            buf_add_cstr(out, "&gt;");
        else if (c == '&')
            buf_add_cstr(out, "&amp;");
        else if (c == '@')
            buf_add_cstr(out, "&#64;"); /* nobody is to be called by a text in a migration */
        else
            buf_add_char(out, is_control(c) ? ' ' : c);
    }
}

/* Within an HTML element Markdown is not read, and a backslash would be shown. */
static void add_html(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '<' || c == '>' || c == '&' || c == '@' || c == '"')
            buf_printf(out, "&#%d;", c);
        else
            buf_add_char(out, is_control(c) ? ' ' : c);
    }
}

/* As code: back quotes inside would end it. */
static void add_code(struct buf *out, struct str text)
{
    buf_add_char(out, '`');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '|')
            buf_add_cstr(out, "\\|");
        else
            buf_add_char(out, c == '`' ? '\'' : is_control(c) ? ' ' : c);
    }
    buf_add_char(out, '`');
}

static const char *level_text(const struct hazard *h)
{
    if (h->waiver)
        return "waived";
    if (h->settled_by)
        return "settled";
    return h->level == HAZARD_BLOCK ? "**block**" : hazard_level_name(h->level);
}

static void add_place(struct arena *a, struct buf *out, const struct report_finding *f)
{
    const char *place = arena_printf(a, "%.*s:%u", STR_ARG(f->path), f->line);
    add_code(out, str_of(place));
}

static void add_row(struct arena *a, const struct report_finding *f, struct buf *out)
{
    const struct hazard *h = f->hazard;
    buf_printf(out, "| %s | ", level_text(h));
    add_place(a, out, f);
    buf_printf(out, " | `%s`: ", h->rule->id);
    add_cell(out, str_of(h->message));
    if (h->waiver) {
        buf_add_cstr(out, " (reason: ");
        add_cell(out, str_of(h->waiver));
        buf_add_char(out, ')');
    } else if (h->settled_by) {
        buf_printf(out, " (settled by its online form, `%s`)", h->settled_by);
    }
    buf_add_cstr(out, " |\n");
}

/* The order in which a reviewer wants them. */
enum rank { RANK_BLOCK, RANK_WARN, RANK_WAIVED, RANK_SETTLED, RANK_NOTE };

static enum rank rank_of(const struct hazard *h)
{
    if (h->waiver || h->settled_by)
        return h->waiver ? RANK_WAIVED : RANK_SETTLED;
    return h->level == HAZARD_BLOCK ? RANK_BLOCK : h->level == HAZARD_WARN ? RANK_WARN : RANK_NOTE;
}

/* The table begins with the first row. */
static size_t add_rank(struct arena *a, const struct report *r, enum rank rank, size_t rows,
                       struct buf *out)
{
    for (size_t i = 0; i < r->findings.count && rows < ROWS_MAX; i++) {
        if (rank_of(r->findings.at[i].hazard) != rank)
            continue;
        if (!rows++)
            buf_add_cstr(out, "\n| level | where | finding |\n|---|---|---|\n");
        add_row(a, &r->findings.at[i], out);
    }
    return rows;
}

static void add_rest(size_t count, struct buf *out)
{
    if (count > ROWS_MAX)
        buf_printf(out, "\n%zu more are in the log of the run.\n", count - ROWS_MAX);
}

/* What decides comes first, so that it is there where not everything fits. */
static void add_findings(struct arena *a, const struct report *r, struct buf *out)
{
    size_t rows = 0;
    for (enum rank rank = RANK_BLOCK; rank < RANK_NOTE; rank++)
        rows = add_rank(a, r, rank, rows, out);
    add_rest(r->blocks + r->warnings + r->waived + r->settled, out);
}

static void add_notes(struct arena *a, const struct report *r, struct buf *out)
{
    if (!r->notes)
        return;
    buf_printf(out, "\n<details><summary>%zu note%s</summary>\n", r->notes,
               r->notes == 1 ? "" : "s");
    (void)add_rank(a, r, RANK_NOTE, 0, out);
    add_rest(r->notes, out);
    buf_add_cstr(out, "\n</details>\n");
}

/* Each advice once, with the places it is for. */
static void add_fixes(struct arena *a, const struct report *r, struct buf *out)
{
    size_t shown = 0;
    for (size_t i = 0; i < r->findings.count && shown < ROWS_MAX; i++) {
        const struct report_finding *f = &r->findings.at[i];
        bool is_known = rank_of(f->hazard) > RANK_WARN;
        for (size_t k = 0; k < i && !is_known; k++)
            is_known = r->findings.at[k].hazard->fix == f->hazard->fix;
        if (is_known)
            continue;
        if (!shown++)
            buf_add_cstr(out, "\n<details><summary>What to do instead</summary>\n\n");
        buf_printf(out, "- `%s`, ", f->hazard->rule->id);
        add_place(a, out, f);
        buf_add_cstr(out, ": ");
        add_cell(out, str_of(f->hazard->fix));
        buf_add_char(out, '\n');
    }
    if (shown)
        buf_add_cstr(out, "\n</details>\n");
}

static void add_statement(struct arena *a, const struct planned_statement *s, struct buf *out)
{
    buf_printf(out, "| %u | ", s->statement.line);
    add_code(out, report_short_sql(a, s->statement.text, SQL_SHOWN));
    buf_printf(out, " | %s | %s | ", statement_class_name(s->statement.class),
               s->runs_online        ? "by step"
               : s->is_transactional ? "yes"
                                     : "no");
    if (s->runs_online)
        buf_add_cstr(out, "online form");
    else if (s->effects)
        add_cell(out, str_of(report_effects(a, s->effects)));
    buf_add_cstr(out, " |\n");
}

/* SQL in a block of code: its fence is longer than any row of back quotes in it. */
static void add_form(const struct planned_statement *s, struct buf *out)
{
    const struct online_form *form = s->online;
    SCOPED(buf) struct buf sql = {.max = COMMENT_BYTES_MAX};
    for (size_t i = 0; i < form->steps.count; i++) {
        const struct online_step *step = &form->steps.at[i];
        buf_printf(&sql, "-- %zu. %s: %s%s%s\n%.*s;\n", i + 1, phase_name(step->phase), step->does,
                   step->refuses_transaction ? "; outside a transaction" : "",
                   step->waits_again ? "; waits for the second migrate contract"
                   : step->waits     ? "; waits for migrate contract"
                                     : "",
                   STR_ARG(step->sql));
    }
    size_t fence = 3;
    for (size_t i = 0, row = 0; i < sql.len; i++) {
        row = sql.at[i] == '`' ? row + 1 : 0;
        fence = row >= fence ? row + 1 : fence;
        if (is_control(sql.at[i]) && sql.at[i] != '\n' && sql.at[i] != '\t')
            sql.at[i] = ' ';
    }
    buf_printf(out, "\nLine %u %s online form (`%s`)%s. %s\n\n", s->statement.line,
               s->runs_online ? "runs in its" : "has an", form->recipe,
               s->runs_online ? "" : ", which `--rewrite auto` runs", form->why);
    for (size_t i = 0; i < fence; i++)
        buf_add_char(out, '`');
    buf_add_cstr(out, "sql\n");
    buf_add_str(out, buf_str(&sql));
    for (size_t i = 0; i < fence; i++)
        buf_add_char(out, '`');
    buf_add_char(out, '\n');
}

/* Names in it are the database's: no markup of theirs. */
static void add_why_not(const struct planned_statement *s, struct buf *out)
{
    buf_printf(out, "\nLine %u runs as it is written. ", s->statement.line);
    add_html(out, str_of(s->why_not_online));
    buf_add_char(out, '\n');
}

/* ", 2 of them in their online form". */
static void add_form_count(const struct planned_migration *m, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < m->statements.count; i++)
        count += m->statements.at[i].runs_online;
    if (count)
        buf_printf(out, ", %zu in %s online form", count, count == 1 ? "its" : "their");
}

static void add_migrations(struct arena *a, const struct report *r, struct buf *out)
{
    size_t rows = 0;
    for (size_t i = 0; i < r->plan->count && rows < ROWS_MAX; i++) {
        const struct planned_migration *m = &r->plan->migrations[i];
        buf_add_cstr(out, "\n<details><summary>");
        add_html(out, m->migration->path);
        buf_printf(out, " (%s, %llu statement%s", statement_class_name(m->class),
                   (unsigned long long)m->statement_count, m->statement_count == 1 ? "" : "s");
        add_form_count(m, out);
        buf_add_cstr(out, ")</summary>\n\n");
        if (m->statements.count)
            buf_add_cstr(out, "| line | statement | class | in a transaction | takes |\n"
                              "|---|---|---|---|---|\n");
        for (size_t k = 0; k < m->statements.count && rows < ROWS_MAX; k++, rows++)
            add_statement(a, &m->statements.at[k], out);
        for (size_t k = 0; k < m->statements.count && k < ROWS_MAX; k++) {
            if (m->statements.at[k].online)
                add_form(&m->statements.at[k], out);
            if (m->statements.at[k].why_not_online)
                add_why_not(&m->statements.at[k], out);
        }
        buf_add_cstr(out, "\n</details>\n");
    }
    if (rows >= ROWS_MAX)
        buf_add_cstr(out, "\nThe rest is in the log of the run.\n");
}

/* A name in a tree may hold any bytes, and a forge refuses a comment that is no UTF-8. */
static void mend_characters(struct buf *text)
{
    size_t from = 0;
    size_t valid;
    size_t at;
    while ((at = text_find_invalid(str_skip(buf_str(text), from), true, &valid)) != SIZE_MAX) {
        from += at;
        text->at[from++] = '?';
    }
}

void report_markdown(struct arena *a, const struct report *r, struct buf *out)
{
    const struct plan *plan = r->plan;
    struct buf text = {.max = COMMENT_BYTES_MAX};
    buf_add_cstr(&text, MARKER);
    buf_printf(&text, "### migrate: %s\n\n",
               r->is_refused && !r->blocks ? "would be refused, as not all of it could be judged"
               : r->is_refused             ? "would be refused"
               : r->warnings               ? "can be applied, with warnings"
               : plan->count == 0          ? "nothing to do"
                                           : "can be applied");
    buf_printf(&text, "%zu migration%s, %zu statement%s, %zu destructive; %s. Plan `%.12s`.\n",
               plan->count, plan->count == 1 ? "" : "s", r->statements,
               r->statements == 1 ? "" : "s", r->destructive, report_counts(a, r),
               plan->digest.hex);
    if (r->base) {
        buf_add_cstr(&text, plan->count ? "\nIt adds to " : "\nIt adds no migration to ");
        add_code(&text, str_of(r->base));
        buf_add_cstr(&text, ".\n");
    }
    add_findings(a, r, &text);
    add_fixes(a, r, &text);
    add_notes(a, r, &text);
    size_t whole = text.len;
    add_migrations(a, r, &text);
    mend_characters(&text);
    if (text.is_overflown) {
        buf_add(out, text.at, whole < text.len ? whole : text.len);
        buf_add_cstr(out, "\nThe statements are too many for a comment: see the "
                          "log of the run.\n");
    } else {
        buf_add_str(out, buf_str(&text));
    }
    buf_release(&text);
}
