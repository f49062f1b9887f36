/* Colour, progress and tables: see terminal.h. */
#include "cmd/terminal.h"

#include "core/base/buf.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/vec.h"

#include <sys/ioctl.h>
#include <unistd.h>

static bool stdout_has_color;
static bool stderr_has_color;
static bool stderr_has_progress;
static bool progress_is_shown;

static const char *const inks[] = {
    [INK_PLAIN] = "",        [INK_GOOD] = "\033[32m", [INK_BAD] = "\033[31m",
    [INK_WARN] = "\033[33m", [INK_DIM] = "\033[2m",   [INK_BOLD] = "\033[1m",
};

void terminal_start(bool no_color, bool quiet, int64_t verbose)
{
    const char *no = getenv("NO_COLOR");
    const char *force = getenv("CLICOLOR_FORCE");
    bool is_off = no_color || (no && no[0]);
    bool is_forced = force && force[0] && strcmp(force, "0") != 0;
    stdout_has_color = !is_off && (is_forced || isatty(STDOUT_FILENO));
    stderr_has_color = !is_off && (is_forced || isatty(STDERR_FILENO));
    stderr_has_progress = !quiet && isatty(STDERR_FILENO);
    log_configure(quiet ? -1 : (int)verbose, stderr_has_color);
    log_before(progress_clear);
}

bool terminal_has_color(void)
{
    return stdout_has_color;
}

bool terminal_has_progress(void)
{
    return stderr_has_progress;
}

const char *ink_on(enum ink ink)
{
    return stdout_has_color ? inks[ink] : "";
}

const char *ink_off(enum ink ink)
{
    return stdout_has_color && ink != INK_PLAIN ? "\033[0m" : "";
}

/* Length of a colour of ours at the front, 0 where there is none. */
static size_t ink_len(struct str s)
{
    for (size_t i = 0; stdout_has_color && i < ARRAY_LEN(inks); i++) {
        if (inks[i][0] && str_starts(s, str_of(inks[i])))
            return strlen(inks[i]);
    }
    return stdout_has_color && str_starts(s, STR("\033[0m")) ? strlen("\033[0m") : 0;
}

void terminal_print(const char *format, ...)
{
    SCOPED(buf) struct buf text = {0};
    SCOPED(buf) struct buf shown = {0};
    va_list values;
    va_start(values, format);
    buf_vprintf(&text, format, values);
    va_end(values);
    size_t format_len = strlen(format);
    bool ends_line = format_len && format[format_len - 1] == '\n';
    struct str rest = {text.at, text.len - ends_line};
    while (rest.len) {
        size_t escape = str_find_char(rest, '\033');
        size_t len = escape == SIZE_MAX ? rest.len : escape;
        text_escape(&shown, (struct str){rest.at, len}, true);
        rest = str_skip(rest, len);
        len = ink_len(rest);
        if (len)
            buf_add(&shown, rest.at, len);
        else if (rest.len)
            text_escape(&shown, (struct str){rest.at, len = 1}, true);
        rest = str_skip(rest, len);
    }
    if (ends_line)
        buf_add_char(&shown, '\n');
    (void)fwrite(buf_cstr(&shown), 1, shown.len, stdout);
}

static size_t width_of(int fd)
{
    struct winsize size;
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return SIZE_MAX;
}

/* A line may be as long as a whole file: only so much of it is looked at as could fit, with room for
   marks that have no width. */
struct str terminal_cut(struct str s, size_t width)
{
    size_t most = width * 16 + 64;
    if (width < SIZE_MAX / 32 && s.len > most) {
        s.len = most;
        while (s.len && ((unsigned char)s.at[s.len] & 0xC0) == 0x80)
            s.len--;
    }
    while (text_width(s) > width) {
        s.len--;
        while (s.len && ((unsigned char)s.at[s.len] & 0xC0) == 0x80)
            s.len--;
    }
    return s;
}

void progress_show(const char *format, ...)
{
    if (!stderr_has_progress)
        return;
    SCOPED(buf) struct buf line = {0};
    va_list values;
    va_start(values, format);
    buf_vprintf(&line, format, values);
    va_end(values);
    SCOPED(buf) struct buf escaped = {0};
    text_escape(&escaped, buf_str(&line), false);
    struct str shown = terminal_cut(buf_str(&escaped), width_of(STDERR_FILENO) - 1);
    fprintf(stderr, "\r\033[K%.*s", STR_ARG(shown));
    fflush(stderr);
    progress_is_shown = true;
}

void progress_clear(void)
{
    if (!progress_is_shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress_is_shown = false;
}

struct row {
    const char *const *cells;
    size_t inked_column;
    enum ink ink;
};

struct table {
    struct arena *arena;
    const char *const *headings;
    size_t columns;
    struct {
        struct row *at;
        size_t count, room;
    } rows;
};

struct table *table_make(struct arena *a, const char *const *headings, size_t columns)
{
    struct table *t = arena_new(a, struct table);
    t->arena = a;
    t->headings = headings;
    t->columns = columns;
    return t;
}

void table_add(struct table *t, const char *const *cells, size_t inked_column, enum ink ink)
{
    const char **copy = arena_array(t->arena, const char *, t->columns);
    for (size_t i = 0; i < t->columns; i++) {
        SCOPED(buf) struct buf shown = {0};
        copy[i] = cells[i] ? cells[i] : "";
        if (!text_needs_escape(str_of(copy[i]), false))
            continue;
        text_escape(&shown, str_of(copy[i]), false);
        copy[i] = arena_cstr(t->arena, buf_str(&shown));
    }
    vec_push(t->arena, &t->rows, (struct row){copy, inked_column, ink});
}

size_t table_rows(const struct table *t)
{
    return t->rows.count;
}

/* widths 0: the column has nothing to show. Blanks are printed in front of a cell, never at the end
   of a line. */
static void print_row(const struct table *t, const size_t *widths, const struct row *row,
                      size_t terminal_width)
{
    size_t used = 0;  /* columns printed */
    size_t start = 0; /* of the cell */
    for (size_t c = 0; c < t->columns; c++) {
        struct str cell = str_of(row->cells[c]);
        bool is_last = c + 1 == t->columns;
        if (is_last && terminal_width != SIZE_MAX && start + 10 < terminal_width)
            cell = terminal_cut(cell, terminal_width - start);
        if (widths[c] && cell.len) {
            enum ink ink = c == row->inked_column ? row->ink : INK_PLAIN;
            printf("%*s%s%.*s%s", (int)(start - used), "", ink_on(ink), STR_ARG(cell),
                   ink_off(ink));
            used = start + text_width(cell);
        }
        start += widths[c] ? widths[c] + 2 : 0;
    }
    putchar('\n');
}

void table_print(struct table *t)
{
    size_t *widths = arena_array(t->arena, size_t, t->columns);
    for (size_t c = 0; c < t->columns; c++) {
        for (size_t r = 0; r < t->rows.count; r++) {
            size_t width = text_width(str_of(t->rows.at[r].cells[c]));
            widths[c] = width > widths[c] ? width : widths[c];
        }
        size_t heading = text_width(str_of(t->headings[c]));
        if (widths[c] && widths[c] < heading)
            widths[c] = heading;
    }
    size_t terminal_width = width_of(STDOUT_FILENO);
    fputs(ink_on(INK_DIM), stdout);
    print_row(t, widths, &(struct row){t->headings, SIZE_MAX, INK_PLAIN}, terminal_width);
    fputs(ink_off(INK_DIM), stdout);
    for (size_t r = 0; r < t->rows.count; r++)
        print_row(t, widths, &t->rows.at[r], terminal_width);
}

const char *err_ink_on(enum ink ink)
{
    return stderr_has_color ? inks[ink] : "";
}

const char *err_ink_off(void)
{
    return stderr_has_color ? "\033[0m" : "";
}

const char *terminal_time(struct arena *a, struct str iso)
{
    if (iso.len < 19)
        return arena_cstr(a, iso);
    return arena_printf(a, "%.10s %.8s", iso.at, iso.at + 11);
}
