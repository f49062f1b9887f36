/* Levels of hazards: from migrator.yml, where the ids are checked, and the profile. */
#include "cmd/session.h"
#include "core/base/vec.h"
#include "planner/rules.h"

static bool refuse_id(const struct session *s, const struct config_hazard *one, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "there is no hazard \"%.*s\"", STR_ARG(one->id));
    fail_at(f, s->config.path, one->line, one->column, one->excerpt);
    const char *near = hazard_rule_like(one->id);
    if (near)
        return fail_hint(f, "Did you mean \"%s\"?", near);
    return fail_hint(f, "`migrate explain` lists the hazards.");
}

bool session_policy(struct session *s, struct hazard_policy *out, struct fail *f)
{
    const char *profile = s->options->profile;
    *out = (struct hazard_policy){.is_strict = profile && strcmp(profile, "strict") == 0};
    if (profile && !out->is_strict && strcmp(profile, "default") != 0) {
        fail_set(f, EXIT_USAGE, "there is no profile \"%s\"", profile);
        return fail_hint(f, "The profiles are: default, strict.");
    }
    for (size_t i = 0; i < s->config.hazards.count; i++) {
        const struct config_hazard *one = &s->config.hazards.at[i];
        if (!hazard_rule_find(one->id))
            return refuse_id(s, one, f);
        struct hazard_setting setting = {.id = one->id, .level = one->level};
        vec_push(s->arena, &out->settings, setting);
    }
    return true;
}
