/*
 * Findings where a CI system shows them beside the code: GitHub's workflow commands
 * (::error file=…,line=…::…) and GitLab's code quality report (a JSON list).
 */
#include "cmd/report.h"

/* A property ends at ',' and ':'; a message at the line's end: such characters travel as %XX. */
static void add_escaped(struct buf *out, struct str text, bool is_property)
{
    size_t from = 0; /* of what needs no escape */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool is_special =
            c == '%' || c == '\r' || c == '\n' || (is_property && (c == ',' || c == ':'));
        if (!is_special)
            continue;
        buf_add(out, text.at + from, i - from);
        buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
        from = i + 1;
    }
    buf_add(out, text.at + from, text.len - from);
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
        buf_printf(out, ",line=%u,col=%u,title=", f->line, f->column);
        add_escaped(out, str_of(h->rule->id), true);
        buf_add_cstr(out, "::");
        const char *text = h->waiver ? arena_printf(a, "%s (waived: %s)", h->message, h->waiver)
                                     : arena_printf(a, "%s\n%s", h->message, report_advice(a, h));
        add_escaped(out, str_of(text), false);
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
