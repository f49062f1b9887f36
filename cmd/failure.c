/* How a failure reaches people and programs: see terminal.h. */
#include "cmd/terminal.h"
#include "core/base/text.h"

/* Without what a terminal would obey. */
static void print_harmless(struct str text)
{
    SCOPED(buf) struct buf shown = {0};
    text_escape(&shown, text, true);
    fputs(buf_cstr(&shown), stderr);
}

/* Every line of a text behind its label. */
static void print_lines(const char *label, const char *text)
{
    struct str rest = str_of(text);
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        fprintf(stderr, "%s%s%s", err_ink_on(INK_BOLD), label, err_ink_off());
        print_harmless(line);
        fputc('\n', stderr);
    }
}

/* As wide as the text in front of the caret; tabs stay tabs. */
static void print_indent(struct str text)
{
    while (text.len) {
        size_t tab = str_find_char(text, '\t');
        size_t len = tab == SIZE_MAX ? text.len : tab;
        fprintf(stderr, "%*s", (int)text_width((struct str){text.at, len}), "");
        if (tab != SIZE_MAX)
            fputc('\t', stderr);
        text = str_skip(text, len + 1);
    }
}

/* Long lines are shown around the column at fault. */
#define EXCERPT_BEFORE 60
#define EXCERPT_COLUMNS 100

static void print_place(const struct fail *f)
{
    fputs("  at ", stderr);
    print_harmless(str_of(f->file));
    if (f->line)
        fprintf(stderr, ":%u", f->line);
    if (f->line && f->column)
        fprintf(stderr, ":%u", f->column);
    fputc('\n', stderr);
    if (!f->excerpt || !f->line)
        return;
    struct str line = str_of(f->excerpt);
    size_t before = f->column ? f->column - 1 : 0;
    size_t from = before > EXCERPT_BEFORE ? before - EXCERPT_BEFORE : 0;
    struct str head = {line.at, text_offset_of_character(line, from)};
    line = str_skip(line, head.len);
    struct str to_caret = {line.at, text_offset_of_character(line, before - from)};
    line = terminal_cut(line, EXCERPT_COLUMNS);
    fprintf(stderr, "%6u | %s", f->line, from ? "…" : "");
    print_harmless(line);
    fputc('\n', stderr);
    if (!f->column)
        return;
    fprintf(stderr, "       | %s", from ? " " : "");
    SCOPED(buf) struct buf shown = {0};
    text_escape(&shown, to_caret, true);
    print_indent(buf_str(&shown));
    fprintf(stderr, "%s^%s\n", err_ink_on(INK_BAD), err_ink_off());
}

/* Arguments with a password in them, which may have been given where no URL belongs. */
#define HIDDEN_MAX 16
static struct {
    const char *secret, *shown;
} hidden[HIDDEN_MAX];
static size_t hidden_count;

void failure_hide(const char *secret, const char *shown)
{
    if (hidden_count < HIDDEN_MAX && secret[0] && strcmp(secret, shown) != 0) {
        hidden[hidden_count].secret = secret;
        hidden[hidden_count++].shown = shown;
    }
}

static const char *without_secrets(struct arena *a, const char *text)
{
    for (size_t i = 0; text && i < hidden_count; i++) {
        const char *found;
        while ((found = strstr(text, hidden[i].secret)))
            text = arena_printf(a, "%.*s%s%s", (int)(found - text), text, hidden[i].shown,
                                found + strlen(hidden[i].secret));
    }
    return text;
}

static struct fail harmless(struct arena *a, const struct fail *f)
{
    struct fail copy = *f;
    copy.message = without_secrets(a, f->message);
    copy.detail = without_secrets(a, f->detail);
    copy.hint = without_secrets(a, f->hint);
    copy.context = without_secrets(a, f->context);
    copy.file = without_secrets(a, f->file);
    copy.excerpt = without_secrets(a, f->excerpt);
    return copy;
}

void failure_print(const struct fail *failure)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fail copy = harmless(a, failure);
    const struct fail *f = &copy;
    progress_clear();
    fflush(stdout);
    fprintf(stderr, "%serror:%s ", err_ink_on(INK_BAD), err_ink_off());
    print_harmless(str_of(f->message));
    if (f->sqlstate[0])
        fprintf(stderr, " (SQLSTATE %s)", f->sqlstate);
    fputc('\n', stderr);
    if (f->file)
        print_place(f);
    if (f->context)
        print_lines("  ", f->context);
    if (f->detail)
        print_lines("detail: ", f->detail);
    if (f->hint)
        print_lines("hint: ", f->hint);
    size_t count;
    const struct exit_code_row *rows = exit_code_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].code == f->code)
            fprintf(stderr, "exit %d: %s\n", (int)f->code, rows[i].sentence);
    }
}

struct json *failure_json(const struct fail *failure)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fail copy = harmless(a, failure);
    const struct fail *f = &copy;
    struct json *j = json_make_object();
    json_set_cstr(j, "message", f->message);
    json_set_cstr(j, "sqlstate", f->sqlstate[0] ? f->sqlstate : NULL);
    json_set_cstr(j, "file", f->file);
    if (f->line)
        json_set_i64(j, "line", f->line);
    if (f->line && f->column)
        json_set_i64(j, "column", f->column);
    json_set_cstr(j, "detail", f->detail);
    json_set_cstr(j, "hint", f->hint);
    return j;
}
