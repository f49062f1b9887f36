/*
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): one run, the rules that have findings, one
 * result for each. Fingerprints let code scanning follow a finding while lines move; a waiver is a
 * suppression in the source.
 */
#include "cmd/command.h"
#include "cmd/report.h"

static const char *sarif_level(enum hazard_level level)
{
    switch (level) {
    case HAZARD_BLOCK:
        return "error";
    case HAZARD_WARN:
        return "warning";
    case HAZARD_NOTE:
    case HAZARD_OFF:
        break;
    }
    return "note";
}

static struct json *text_object(const char *text)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "text", text);
    return j;
}

/* Place of a rule among those that were written; they are few. */
static size_t rule_place(const struct hazard_rule *const *rules, size_t count,
                         const struct hazard_rule *rule)
{
    size_t i = 0;
    while (i < count && rules[i] != rule)
        i++;
    return i;
}

static struct json *rule_json(const struct hazard_rule *rule)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "id", rule->id);
    json_set(j, "shortDescription", text_object(rule->title));
    json_set(j, "fullDescription", text_object(rule->why));
    json_set(j, "help", text_object(rule->fix));
    struct json *configuration = json_make_object();
    json_set_cstr(configuration, "level", sarif_level(rule->level));
    json_set(j, "defaultConfiguration", configuration);
    return j;
}

/* A path as a URI: what is no letter, digit, or one of -._~/ travels as %XX. */
static void add_uri(struct buf *out, struct str path)
{
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        if (char_is_alpha(c) || char_is_digit(c) || (c && strchr("-._~/", c)))
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static struct json *location_json(const struct report_finding *f)
{
    SCOPED(buf) struct buf uri = {0};
    add_uri(&uri, f->path);
    struct json *artifact = json_make_object();
    json_set_str(artifact, "uri", buf_str(&uri));
    struct json *region = json_make_object();
    json_set_i64(region, "startLine", f->line);
    json_set_i64(region, "startColumn", f->column);
    if (f->excerpt.len) {
        struct json *snippet = json_make_object();
        json_set_str(snippet, "text", f->excerpt);
        json_set(region, "snippet", snippet);
    }
    struct json *physical = json_make_object();
    json_set(physical, "artifactLocation", artifact);
    json_set(physical, "region", region);
    struct json *location = json_make_object();
    json_set(location, "physicalLocation", physical);
    struct json *list = json_make_array();
    json_push(list, location);
    return list;
}

static struct json *suppressions_json(const struct hazard *h)
{
    struct json *one = json_make_object();
    json_set_cstr(one, "kind", "inSource");
    json_set_cstr(one, "justification", h->waiver);
    struct json *list = json_make_array();
    json_push(list, one);
    return list;
}

static struct json *result_json(struct arena *a, const struct report_finding *f, size_t rule)
{
    const struct hazard *h = f->hazard;
    struct json *j = json_make_object();
    json_set_cstr(j, "ruleId", h->rule->id);
    json_set_i64(j, "ruleIndex", (int64_t)rule);
    json_set_cstr(j, "level", sarif_level(hazard_level_left(h)));
    json_set(j, "message", text_object(arena_printf(a, "%s. %s", h->message, report_advice(a, h))));
    json_set(j, "locations", location_json(f));
    struct json *prints = json_make_object();
    json_set_str(prints, "migrateFinding/v1", digest_str(&f->fingerprint));
    json_set(j, "partialFingerprints", prints);
    if (h->waiver)
        json_set(j, "suppressions", suppressions_json(h));
    return j;
}

void report_sarif(struct arena *a, const struct report *r, struct buf *out)
{
    const struct hazard_rule **rules =
        arena_array(a, const struct hazard_rule *, r->findings.count + 1);
    size_t count = 0;
    struct json *rule_list = json_make_array();
    struct json *results = json_make_array();
    for (size_t i = 0; i < r->findings.count; i++) {
        const struct report_finding *f = &r->findings.at[i];
        size_t place = rule_place(rules, count, f->hazard->rule);
        if (place == count) {
            rules[count++] = f->hazard->rule;
            json_push(rule_list, rule_json(f->hazard->rule));
        }
        json_push(results, result_json(a, f, place));
    }
    struct json *driver = json_make_object();
    json_set_cstr(driver, "name", "migrate");
    json_set_cstr(driver, "semanticVersion", migrate_version());
    json_set(driver, "rules", rule_list);
    struct json *tool = json_make_object();
    json_set(tool, "driver", driver);
    struct json *run = json_make_object();
    json_set(run, "tool", tool);
    json_set_cstr(run, "columnKind", "unicodeCodePoints");
    json_set(run, "results", results);
    struct json *runs = json_make_array();
    json_push(runs, run);
    SCOPED(json) struct json *root = json_make_object();
    json_set_cstr(root, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json_set_cstr(root, "version", "2.1.0");
    json_set(root, "runs", runs);
    json_print(out, root, true);
    buf_add_char(out, '\n');
}
