/* Names of the levels, and a finding as JSON. */
#include "core/model/hazard.h"

static const char *const level_names[] = {
    [HAZARD_OFF] = "off",
    [HAZARD_NOTE] = "note",
    [HAZARD_WARN] = "warn",
    [HAZARD_BLOCK] = "block",
};

const char *hazard_level_name(enum hazard_level level)
{
    return level_names[level];
}

bool hazard_level_of_name(struct str name, enum hazard_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_equal(name, str_of(level_names[i]))) {
            *out = (enum hazard_level)i;
            return true;
        }
    }
    return false;
}

enum hazard_level hazard_level_left(const struct hazard *h)
{
    return h->settled_by && h->level > HAZARD_NOTE ? HAZARD_NOTE : h->level;
}

struct json *hazard_json(const struct hazard *h)
{
    struct json *j = json_make_object();
    json_set_cstr(j, "id", h->rule->id);
    json_set_cstr(j, "severity", hazard_level_name(h->level));
    json_set_cstr(j, "message", h->message);
    json_set_cstr(j, "fix", h->fix);
    json_set_i64(j, "line", h->line);
    json_set_str(j, "relation", h->relation);
    json_set_cstr(j, "lowered_by", h->exempted_by);
    json_set_cstr(j, "settled_by", h->settled_by);
    json_set_cstr(j, "waiver", h->waiver);
    return j;
}
