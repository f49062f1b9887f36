/* Any bytes as YAML: a tree whose texts end where they say, or a failure with a hint. */
#include "core/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct yaml *node, size_t depth)
{
    assert(depth <= YAML_MAX_DEPTH + 1);
    assert(node->type != YAML_SCALAR || node->text.at[node->text.len] == '\0');
    size_t count = 1;
    /* NOLINTNEXTLINE(misc-no-recursion): the depth is what is being checked */
    for (const struct yaml *child = node->children; child; child = child->next)
        count += walk(child, depth + 1);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    const struct yaml *root =
        yaml_parse(a, (struct str){(const char *)data, size}, STR("fuzz.yml"), &f);
    assert(!root == fail_is_set(&f));
    if (root)
        assert(walk(root, 1) > 0);
    else
        assert(f.code == EXIT_USAGE && f.hint && !strchr(f.message, '\n'));
    return 0;
}
