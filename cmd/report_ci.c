/*
 * Findings where a CI system shows them beside the code: GitHub's workflow commands
 * (::error file=…,line=…::…) and GitLab's code quality report (a JSON list).
 */
#include "cmd/report.h"

/* Where the character is next from `from` on; the end where it is not. */
static size_t next_of(struct str text, size_t from, char c)
{
    size_t at = str_find_char(str_skip(text, from), c);
    return at == SIZE_MAX ? text.len : from + at;
}

/* A property ends at ',' and ':'; a message at the line's end: such characters travel as %XX. */
static void add_escaped(struct buf *out, struct str text, bool is_property)
{
    static const char specials[] = {'%', '\r', '\n', ',', ':'};
    size_t count = is_property ? 5 : 3;
    size_t next[5]; /* where each of them is next: most texts have none */
    for (size_t i = 0; i < count; i++)
        next[i] = next_of(text, 0, specials[i]);
    for (size_t from = 0;;) {
        size_t first = 0;
        for (size_t i = 1; i < count; i++)
            first = next[i] < next[first] ? i : first;
        size_t at = next[first];
        buf_add(out, text.at + from, at - from);
        if (at == text.len)
            return;
        static const char digits[] = "0123456789ABCDEF";
        unsigned char c = (unsigned char)text.at[at];
        const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
        buf_add(out, escaped, sizeof(escaped));
        from = at + 1;
        next[first] = next_of(text, from, specials[first]);
    }
}

/* printf() takes as long for these two as all else of a line does. */
static void add_number(struct buf *out, const char *name, uint32_t number)
{
    char digits[10];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    buf_add_cstr(out, name);
    buf_add(out, digits + at, sizeof(digits) - at);
}

static void add_message(struct arena *a, const struct hazard *h, struct buf *out)
{
    add_escaped(out, str_of(h->message), false);
    if (h->waiver) {
        buf_add_cstr(out, " (waived: ");
        add_escaped(out, str_of(h->waiver), false);
        buf_add_char(out, ')');
        return;
    }
    buf_add_cstr(out, "%0A");
    add_escaped(out, str_of(report_advice(a, h)), false);
}

void report_github(struct arena *a, const struct report *r, struct buf *out)
{
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct report_finding *f = &r->findings.at[i];
        const struct hazard *h = f->hazard;
        buf_add_cstr(out, hazard_level_left(h) == HAZARD_BLOCK  ? "::error file="
                          : hazard_level_left(h) == HAZARD_WARN ? "::warning file="
                                                                : "::notice file=");
        add_escaped(out, f->path, true);
        add_number(out, ",line=", f->line);
        add_number(out, ",col=", f->column);
        buf_add_cstr(out, ",title=");
        add_escaped(out, str_of(h->rule->id), true);
        buf_add_cstr(out, "::");
        add_message(a, h, out);
        buf_add_char(out, '\n');
    }
}

static const char *gitlab_severity(const struct hazard *h)
{
    switch (hazard_level_left(h)) {
    case HAZARD_BLOCK:
        return "critical";
    case HAZARD_WARN:
        return "major";
    case HAZARD_NOTE:
    case HAZARD_OFF:
        break;
    }
    return h->waiver || h->settled_by ? "info" : "minor";
}

void report_gitlab(struct arena *a, const struct report *r, struct buf *out)
{
    SCOPED(json) struct json *list = json_make_array();
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct report_finding *f = &r->findings.at[i];
        struct json *lines = json_make_object();
        json_set_i64(lines, "begin", f->line);
        struct json *location = json_make_object();
        json_set_str(location, "path", f->path);
        json_set(location, "lines", lines);
        struct json *one = json_make_object();
        json_set_cstr(one, "description",
                      arena_printf(a, "%s. %s", f->hazard->message, report_advice(a, f->hazard)));
        json_set_cstr(one, "check_name", f->hazard->rule->id);
        json_set_str(one, "fingerprint", digest_str(&f->fingerprint));
        json_set_cstr(one, "severity", gitlab_severity(f->hazard));
        json_set(one, "location", location);
        json_push(list, one);
    }
    json_print(out, list, true);
    buf_add_char(out, '\n');
}
