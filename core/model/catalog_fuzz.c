/* Any bytes as a snapshot: refused with a place, or a catalog whose JSON is read back to the same. */
#include "core/base/json.h"
#include "core/model/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct catalog *c = catalog_read(a, (struct str){(const char *)data, size}, STR("s.json"), &f);
    if (!c) {
        assert(f.code == EXIT_USAGE && f.hint && f.file && f.line && !strchr(f.message, '\n'));
        return 0;
    }
    SCOPED(json) struct json *j = catalog_json(c);
    struct str text = json_line(a, j);
    struct catalog *again = catalog_read(a, text, STR("again.json"), &f);
    if (!again)
        BUG(f.message);
    SCOPED(json) struct json *k = catalog_json(again);
    assert(str_equal(text, json_line(a, k)));
    return 0;
}
