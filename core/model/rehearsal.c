/* Names of the nouns of a rehearsal. */
#include "core/model/rehearsal.h"

static const char *const copy_names[] = {
    [COPY_NONE] = "none", [COPY_DUMP] = "dump", [COPY_TEMPLATE] = "template", [COPY_URL] = "url"};

const char *copy_kind_name(enum copy_kind k)
{
    return copy_names[k];
}

bool copy_kind_of_name(struct str name, enum copy_kind *out)
{
    for (size_t i = COPY_DUMP; i < ARRAY_LEN(copy_names); i++) {
        if (str_equal(name, str_of(copy_names[i]))) {
            *out = (enum copy_kind)i;
            return true;
        }
    }
    return false;
}

const char *fidelity_name(enum fidelity f)
{
    static const char *const names[] = {[FIDELITY_UNKNOWN] = "unknown",
                                        [FIDELITY_LOGICAL] = "logical",
                                        [FIDELITY_PHYSICAL] = "physical"};
    return names[f];
}

const char *traffic_name(enum traffic t)
{
    static const char *const names[TRAFFIC_COUNT] = {
        [TRAFFIC_READ] = "read", [TRAFFIC_WRITE] = "write", [TRAFFIC_KEY_SHARE] = "key share"};
    return names[t];
}
