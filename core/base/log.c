/* Commentary on stderr: see log.h. The one place with state of its own: level, colour, hook. */
#include "core/base/log.h"

#include "core/base/clock.h"
#include "core/base/text.h"

#include <stdarg.h>
#include <stdio.h>

static int log_verbosity;
static bool log_is_colour;
static void (*log_hook)(void);

static const struct {
    int from_verbosity;
    const char *prefix;
    const char *colour;
} levels[] = {
    [LOG_ERROR] = {-1, "error: ", "\033[31m"},
    [LOG_WARN] = {-1, "warning: ", "\033[33m"},
    [LOG_NOTE] = {0, "", ""},
    [LOG_DEBUG] = {1, "debug: ", "\033[2m"},
    [LOG_SQL] = {2, "sql: ", "\033[2m"},
};

void log_configure(int verbosity, bool is_colour)
{
    log_verbosity = verbosity;
    log_is_colour = is_colour;
}

bool log_is_on(enum log_level level)
{
    return log_verbosity >= levels[level].from_verbosity;
}

void log_before(void (*hook)(void))
{
    log_hook = hook;
}

/* What a database or a file name says must not look like a line of ours: further lines are indented. */
static void print_text(const struct buf *text)
{
    struct str rest = buf_str(text);
    for (bool is_first = true; rest.len || is_first; is_first = false) {
        SCOPED(buf) struct buf shown = {0};
        struct str line;
        rest = str_cut_line(rest, &line);
        text_escape(&shown, line, true);
        fprintf(stderr, "%s%s", is_first ? "" : "\n    ", buf_cstr(&shown));
    }
}

void log_line(enum log_level level, const char *format, ...)
{
    if (!log_is_on(level))
        return;
    if (log_hook)
        log_hook();
    SCOPED(buf) struct buf text = {0};
    va_list values;
    va_start(values, format);
    buf_vprintf(&text, format, values);
    va_end(values);
    bool is_painted = log_is_colour && levels[level].colour[0];
    flockfile(stderr);
    fprintf(stderr, "%s%s", is_painted ? levels[level].colour : "", levels[level].prefix);
    if (is_painted && level <= LOG_WARN)
        fputs("\033[0m", stderr);
    print_text(&text);
    fputs(is_painted && level > LOG_WARN ? "\033[0m\n" : "\n", stderr);
    funlockfile(stderr);
}

void log_sql(struct str sql, int64_t duration_us, const char *remark)
{
    if (!log_is_on(LOG_SQL))
        return;
    SCOPED(arena) struct arena *a = arena_make();
    struct str line;
    sql = str_trim(sql);
    while (str_starts(sql, STR("--"))) /* what our own say of themselves at their top */
        sql = str_trim(str_cut_line(sql, &line));
    const char *took = duration_us < 0 ? "in a pipeline" : clock_duration_text(a, duration_us);
    log_line(LOG_SQL, "%.*s  (%s%s%s)", STR_ARG(sql), took, remark ? ", " : "",
             remark ? remark : "");
}
