/* Any bytes as a configuration; the URLs of what is taken are expanded. Texts that name a file are
   left out, so that none is opened. */
#include "core/model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(void *context, const char *name)
{
    (void)context;
    return strlen(name) > 2 ? NULL : "value $$ ${x}";
}

static void check_failed(const struct fail *f)
{
    assert(f->code == EXIT_USAGE && f->hint && f->file && !strchr(f->message, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = {(const char *)data, size};
    if (str_find(text, STR("file:")) != SIZE_MAX)
        return 0;
    struct config c;
    if (!config_parse(a, text, STR("m.yml"), lookup, NULL, &c, &f)) {
        check_failed(&f);
        return 0;
    }
    assert(c.lock_timeout_ms > 0 && c.lock_attempts > 0 && c.lock_budget_ms > 0);
    for (size_t i = 0; i < c.targets.count; i++) {
        SCOPED(fail) struct fail url_fail = FAIL_NONE;
        struct str url;
        if (!config_target_url(a, &c, &c.targets.at[i], lookup, NULL, &url, &url_fail))
            check_failed(&url_fail);
    }
    return 0;
}
