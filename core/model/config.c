/*
 * migrator.yml: the tree of the file is walked along the table of keys (config_keys.c), which also
 * renders the commented example.
 */
#include "core/model/config.h"

#include "core/base/text.h"
#include "core/base/vec.h"
#include "core/model/config_parts.h"

/* Does a key's path continue "prefix" by the segment? *out_is_leaf: and end with it. */
static bool continues(const struct config_key *key, struct str prefix, struct str segment,
                      bool *out_is_leaf)
{
    struct str path = str_of(key->path);
    struct str head, rest;
    if (!str_starts(path, prefix))
        return false;
    rest = str_cut(str_skip(path, prefix.len), '.', &head);
    *out_is_leaf = rest.len == 0;
    return str_equal(head, segment);
}

/* The nearest segment to a mistyped one among those that may follow the prefix; "" : none is near.
 */
static struct str nearest(struct str prefix, struct str typed)
{
    struct str best = {0};
    size_t best_distance = typed.len / 3 + 2;
    for (size_t i = 0; i < config_key_count; i++) {
        struct str path = str_of(config_keys[i].path), segment;
        if (!str_starts(path, prefix))
            continue;
        (void)str_cut(str_skip(path, prefix.len), '.', &segment);
        size_t distance = text_edit_distance(typed, segment);
        if (distance < best_distance) {
            best_distance = distance;
            best = segment;
        }
    }
    return best;
}

/* A key that is known, but elsewhere: `url` at the top. */
static const char *elsewhere(struct str typed)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const char *dot = strrchr(config_keys[i].path, '.');
        if (dot && str_equal(str_of(dot + 1), typed))
            return config_keys[i].path;
    }
    return NULL;
}

static bool refuse_key(struct config_reading *r, struct str prefix, const struct yaml *member)
{
    fail_set(r->fail, EXIT_USAGE, "unknown key \"%.*s%.*s\"", STR_ARG(prefix),
             STR_ARG(member->key));
    config_fail_key(r, member);
    struct str near = nearest(prefix, member->key);
    if (near.len)
        return fail_hint(r->fail, "Did you mean \"%.*s\"?", STR_ARG(near));
    const char *other = elsewhere(member->key);
    if (other)
        return fail_hint(r->fail, "Did you mean \"%s\", with * for a name of your choice?", other);
    SCOPED(buf) struct buf known = {0};
    struct str last = {0};
    for (size_t i = 0; i < config_key_count; i++) {
        struct str path = str_of(config_keys[i].path), segment;
        if (!str_starts(path, prefix))
            continue;
        (void)str_cut(str_skip(path, prefix.len), '.', &segment);
        if (!str_equal(segment, last))
            buf_printf(&known, "%s%.*s", known.len ? ", " : "", STR_ARG(segment));
        last = segment;
    }
    return fail_hint(r->fail, "The keys here are: %s.", buf_cstr(&known));
}

static bool read_map(struct config_reading *r, struct str prefix, const struct yaml *map);

/* A section: a map of keys, or nothing when all in it is commented out. */
static bool read_section(struct config_reading *r, struct str prefix, struct str segment,
                         const struct yaml *value)
{
    if (config_is_null(value))
        return true;
    struct str section =
        str_of(arena_printf(r->expander.arena, "%.*s%.*s.", STR_ARG(prefix), STR_ARG(segment)));
    if (value->type == YAML_MAP)
        return read_map(r, section, value);
    fail_set(r->fail, EXIT_USAGE, "\"%.*s%.*s\" is not a map of keys", STR_ARG(prefix),
             STR_ARG(value->key));
    config_fail_key(r, value);
    return fail_hint(r->fail, "Write its keys in the lines below it, indented by two blanks.");
}

static bool begin_target(struct config_reading *r, const struct yaml *member)
{
    vec_push(r->expander.arena, &r->config->targets, (struct config_target){.name = member->key});
    r->target = &r->config->targets.at[r->config->targets.count - 1];
    if (member->key.len)
        return true;
    fail_set(r->fail, EXIT_USAGE, "the name of a target is empty");
    config_fail_key(r, member);
    return fail_hint(r->fail, "Give it a name, such as production.");
}

static bool read_member(struct config_reading *r, struct str prefix, const struct yaml *member)
{
    const struct str names[] = {member->key, STR("*")};
    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        for (size_t i = 0; i < config_key_count; i++) {
            bool is_leaf;
            /* A user's own '*' is a name as any other. */
            if (n == 0 && str_equal(names[n], STR("*")))
                continue;
            if (!continues(&config_keys[i], prefix, names[n], &is_leaf))
                continue;
            if (is_leaf)
                return config_keys[i].set(r, &config_keys[i], member);
            if (str_equal(prefix, STR("targets.")) && !begin_target(r, member))
                return false;
            return read_section(r, prefix, names[n], member);
        }
    }
    return refuse_key(r, prefix, member);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the paths of the table */
static bool read_map(struct config_reading *r, struct str prefix, const struct yaml *map)
{
    for (const struct yaml *member = map->children; member; member = member->next) {
        if (!read_member(r, prefix, member))
            return false;
    }
    return true;
}

static bool check_default_target(struct config_reading *r)
{
    const struct config *c = r->config;
    if (!r->default_target)
        return true;
    for (size_t i = 0; i < c->targets.count; i++) {
        if (str_equal(c->targets.at[i].name, c->default_target))
            return true;
    }
    fail_set(r->fail, EXIT_USAGE, "\"target\" names no target of this file");
    config_fail_value(r, r->default_target);
    return fail_hint(r->fail, "Define it under targets:, or name one that is there.");
}

struct config config_default(void)
{
    struct config c = {0};
    struct fail f = FAIL_NONE;
    struct config_reading r = {.config = &c, .fail = &f};
    for (size_t i = 0; i < config_key_count; i++) {
        if (!config_keys[i].fallback || strchr(config_keys[i].path, '*'))
            continue;
        struct yaml value = {.type = YAML_SCALAR, .text = str_of(config_keys[i].fallback)};
        if (!config_keys[i].set(&r, &config_keys[i], &value))
            BUG("a default that is no value of its key");
    }
    return c;
}

bool config_parse(struct arena *a, struct str text, struct str path, config_lookup *lookup,
                  void *context, struct config *out, struct fail *f)
{
    struct config c = config_default();
    c.path = path;
    struct config_reading r = {
        .expander = {a, config_directory(path), lookup, context},
        .text = text,
        .config = &c,
        .fail = f,
    };
    const struct yaml *root = yaml_parse(a, text, path, f);
    if (!root)
        return config_scrub_failure(f);
    if (root->type != YAML_MAP && !config_is_null(root)) {
        fail_set(f, EXIT_USAGE, "the file is not a map of keys");
        fail_at(f, path, root->line, root->column, (struct str){0});
        return fail_hint(f, "Write `key: value` lines, as `migrate init` does.");
    }
    if (!read_map(&r, (struct str){0}, root) || !check_default_target(&r))
        return config_scrub_failure(f);
    *out = c;
    return true;
}

bool config_late_value(struct arena *a, const struct config *c, const struct config_late *value,
                       const char *what, config_lookup *lookup, void *context, struct str *out,
                       struct fail *f)
{
    struct config_expander e = {a, config_directory(c->path), lookup, context};
    struct str text;
    bool is_expanded = config_expand(&e, value->text, &text, f);
    if (is_expanded && (str_trim(text).len || !value->text.len)) {
        *out = text;
        return true;
    }
    /* An empty variable must not turn into a value that was never meant. */
    if (is_expanded) {
        fail_set(f, EXIT_USAGE, "%s is empty", what);
        fail_hint(f, "Check the variable or the file that it is made of.");
    }
    fail_at(f, c->path, value->line, value->column, value->excerpt);
    return config_scrub_failure(f);
}

bool config_target_url(struct arena *a, const struct config *c, const struct config_target *target,
                       config_lookup *lookup, void *context, struct str *out, struct fail *f)
{
    const char *what = arena_printf(a, "the URL of target \"%.*s\"", STR_ARG(target->name));
    return config_late_value(a, c, &target->url, what, lookup, context, out, f);
}

/* The lines that open the sections of a path, as far as the one before was not in them already. */
static size_t print_sections(struct buf *out, const struct config_key *key, const char *before)
{
    size_t depth = 0, shared = 0;
    const char *path = key->path;
    while (before[shared] && before[shared] == path[shared])
        shared++;
    for (const char *dot; (dot = strchr(path, '.')); path = dot + 1, depth++) {
        if ((size_t)(dot - key->path) < shared)
            continue;
        bool is_name = *path == '*';
        int len = is_name ? (int)strlen(key->name) : (int)(dot - path);
        buf_printf(out, "%s%*s%.*s:\n", depth == 0 ? "\n" : "", (int)depth * 2, "", len,
                   is_name ? key->name : path);
    }
    return depth;
}

void config_print_example(struct buf *out)
{
    buf_add_cstr(
        out,
        "# migrator.yml: where the migrations are, and the databases they are for. Every key\n"
        "# may be left out; the values are the defaults, or examples where it says so.\n"
        "# ${NAME} stands for an environment variable, ${file:/path} for what is in a file, and\n"
        "# $$ for a dollar sign.\n");
    const char *before = "";
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        size_t depth = print_sections(out, key, before);
        const char *dot = strrchr(key->path, '.');
        const char *last = dot ? dot + 1 : key->path;
        int indent = (int)depth * 2;
        buf_printf(out, "%s%*s# %s", depth ? "" : "\n", indent, "", key->comment);
        if (strcmp(key->path, "layout") == 0) {
            buf_add_cstr(out, ": ");
            config_add_layouts(out);
        }
        buf_printf(out, "%s\n%*s%s: %s\n", key->fallback ? "" : " (example)", indent, "",
                   *last == '*' ? key->name : last, key->fallback ? key->fallback : key->example);
        before = key->path;
    }
}
