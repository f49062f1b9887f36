/* Time: see clock.h. */
#include "core/base/clock.h"

#include <errno.h>

static int64_t read_clock_us(clockid_t which)
{
    struct timespec now;
    if (clock_gettime(which, &now) != 0)
        BUG("a clock that cannot be read");
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return read_clock_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return read_clock_us(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL); /* a signal ends it early, which is what callers want */
}

/* A number with leading zeros; written by hand, since three of these belong to each migration. */
static char *put_digits(char *at, int number, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    return at + width;
}

char *clock_iso(struct arena *a, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    int64_t fraction = wall_us % 1000000;
    if (fraction < 0) {
        fraction += 1000000;
        seconds--;
    }
    struct tm parts;
    if (!gmtime_r(&seconds, &parts))
        BUG("a time outside the calendar");
    int year = parts.tm_year + 1900;
    int year_width = 4;
    for (int rest = year / 10000; rest; rest /= 10)
        year_width++;
    if (year < 0)
        BUG("a time before our calendar");
    const struct {
        int number, width;
        char behind;
    } fields[] = {{year, year_width, '-'}, {parts.tm_mon + 1, 2, '-'}, {parts.tm_mday, 2, 'T'},
                  {parts.tm_hour, 2, ':'}, {parts.tm_min, 2, ':'},     {parts.tm_sec, 2, '.'},
                  {(int)fraction, 6, 'Z'}};
    char *text = arena_alloc(a, (size_t)year_width + sizeof("-01-02T03:04:05.000006Z"));
    char *at = text;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        at = put_digits(at, fields[i].number, fields[i].width);
        *at++ = fields[i].behind;
    }
    *at = '\0';
    return text;
}

bool clock_parse_iso(struct str s, int64_t *out_wall_us)
{
    static const char shape[] = "0000-00-00T00:00:00";
    const size_t places[] = {0, 5, 8, 11, 14, 17}; /* of the numbers in it */
    int parts[ARRAY_LEN(places)] = {0};
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        bool is_digit = shape[i] == '0';
        if (i >= s.len || (is_digit ? !char_is_digit(s.at[i]) : s.at[i] != shape[i]))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        for (size_t at = places[i]; at < sizeof(shape) - 1 && shape[at] == '0'; at++)
            parts[i] = parts[i] * 10 + (s.at[at] - '0');
    }
    int64_t fraction = 0;
    size_t at = sizeof(shape) - 1;
    if (at < s.len && s.at[at] == '.') {
        int64_t unit = 100000;
        for (at++; at < s.len && char_is_digit(s.at[at]); at++, unit /= 10)
            fraction += unit * (s.at[at] - '0');
    }
    if (at + 1 != s.len || s.at[at] != 'Z')
        return false;
    struct tm when = {.tm_year = parts[0] - 1900,
                      .tm_mon = parts[1] - 1,
                      .tm_mday = parts[2],
                      .tm_hour = parts[3],
                      .tm_min = parts[4],
                      .tm_sec = parts[5]};
    *out_wall_us = (int64_t)timegm(&when) * 1000000 + fraction;
    return true;
}

char *clock_duration_text(struct arena *a, int64_t duration_us)
{
    /* Each limit is where the rounded figure would reach the next unit: never "1000 ms". */
    double ms = (double)(duration_us > 0 ? duration_us : 0) / 1000;
    if (ms < 0.95)
        return arena_printf(a, "%.1f ms", ms);
    if (ms < 999.5)
        return arena_printf(a, "%.0f ms", ms);
    if (ms < 59950)
        return arena_printf(a, "%.1f s", ms / 1000);
    int64_t seconds = (duration_us + 500000) / 1000000;
    if (seconds < 3600)
        return arena_printf(a, "%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    return arena_printf(a, "%lld h %02d min", (long long)(seconds / 3600),
                        (int)(seconds % 3600 / 60));
}

bool clock_parse_duration(struct str s, int64_t *out_ms)
{
    static const struct {
        struct str suffix;
        int64_t ms;
    } units[] = {
        {{"ms", 2}, 1},    {{"s", 1}, 1000},    {{"min", 3}, 60000},
        {{"m", 1}, 60000}, {{"h", 1}, 3600000}, {{"d", 1}, 86400000},
    };
    size_t digits = 0;
    while (digits < s.len && char_is_digit(s.at[digits]))
        digits++;
    int64_t number;
    if (!str_to_i64((struct str){s.at, digits}, &number))
        return false;
    struct str suffix = str_trim(str_skip(s, digits));
    if (number == 0 && suffix.len == 0) {
        *out_ms = 0;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        int64_t ms;
        if (!str_equal(suffix, units[i].suffix))
            continue;
        if (__builtin_mul_overflow(number, units[i].ms, &ms))
            return false;
        *out_ms = ms;
        return true;
    }
    return false;
}
