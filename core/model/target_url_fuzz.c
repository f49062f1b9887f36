/* Any bytes as a connection text and as an argument to scrub. */
#include "core/model/target_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parsed(const struct target_url *u)
{
    assert(u->engine == ENGINE_POSTGRES || u->engine == ENGINE_SQLITE);
    assert((u->engine == ENGINE_POSTGRES) == (u->conninfo != NULL));
    assert((u->engine == ENGINE_SQLITE) == (u->path != NULL));
    assert(!u->path || (u->path[0] && strcmp(u->path, ":memory:") != 0));
    for (const char *c = u->safe; *c; c++)
        assert((unsigned char)*c >= ' ');
    for (size_t i = 0; i < u->note_count; i++)
        assert(!strchr(u->notes[i], '\n'));
}

static void check_failed(const struct fail *f)
{
    assert(f->code == EXIT_USAGE && f->message && f->hint && !strchr(f->message, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct str text = {(const char *)data, size};
    enum engine hint = size ? (enum engine)(data[0] % 3) : ENGINE_UNKNOWN;
    struct target_url u;
    if (target_url_parse(a, text, hint, &u, &f))
        check_parsed(&u);
    else
        check_failed(&f);

    char *argument = arena_cstr(a, text);
    size_t len = strlen(argument);
    target_url_scrub(argument);
    assert(strlen(argument) == len);
    return 0;
}
