/* How the values of migrator.yml are read, each kind by a function that the table of keys names. */
#include "core/model/config_parts.h"

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/text.h"
#include "core/base/vec.h"

/* PostgreSQL truncates longer names (NAMEDATALEN - 1). */
#define MAX_NAME_BYTES 63
#define MAX_ATTEMPTS 10000
#define SOAK_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

/* The line up to where the value begins: what expands is often made of secrets. */
static struct str line_before(const struct config_reading *r, const struct yaml *value)
{
    struct str line = yaml_line(r->text, value->line);
    line.len = text_offset_of_character(line, value->column - 1);
    return line;
}

bool config_fail_value(struct config_reading *r, const struct yaml *value)
{
    return fail_at(r->fail, r->config->path, value->line, value->column,
                   yaml_line(r->text, value->line));
}

bool config_fail_key(struct config_reading *r, const struct yaml *member)
{
    /* Without the value: who can say what stands behind a key that is not known. */
    struct str line = yaml_line(r->text, member->key_line);
    size_t end = text_offset_of_character(line, member->key_column - 1) + member->key.len;
    if (end < line.len)
        line.len = end;
    return fail_at(r->fail, r->config->path, member->key_line, member->key_column, line);
}

/* Does the value fit into a message? */
static bool is_showable(const struct yaml *value)
{
    enum { LONGEST = 60 };
    if (value->type != YAML_SCALAR || value->text.len == 0 || value->text.len > LONGEST)
        return false;
    for (size_t i = 0; i < value->text.len; i++) {
        if ((unsigned char)value->text.at[i] < ' ' || value->text.at[i] == 0x7F)
            return false;
    }
    return true;
}

/* Says what was written, not what it expanded to. */
static bool refuse_value(struct config_reading *r, const struct config_key *key,
                         const struct yaml *value)
{
    if (is_showable(value))
        fail_set(r->fail, EXIT_USAGE, "value \"%.*s\" of \"%s\" is not %s", STR_ARG(value->text),
                 key->path, key->type);
    else
        fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is not %s", key->path, key->type);
    return config_fail_value(r, value);
}

bool config_is_null(const struct yaml *value)
{
    static const struct str words[] = {{"", 0}, {"~", 1}, {"null", 4}};
    if (value->type == YAML_NOTHING)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (value->type == YAML_SCALAR && !value->is_quoted &&
            str_equal_nocase(value->text, words[i]))
            return true;
    }
    return false;
}

static bool read_scalar(struct config_reading *r, const struct config_key *key,
                        const struct yaml *value, struct str *out)
{
    if (value->type != YAML_SCALAR || config_is_null(value)) {
        refuse_value(r, key, value);
        return fail_hint(r->fail, "Give it %s, or leave the key out.", key->type);
    }
    if (config_expand(&r->expander, value->text, out, r->fail))
        return true;
    return fail_at(r->fail, r->config->path, value->line, value->column, line_before(r, value));
}

static bool add_directory(struct config_reading *r, const struct config_key *key,
                          const struct yaml *value)
{
    struct str path;
    if (!read_scalar(r, key, value, &path))
        return false;
    struct config *c = r->config;
    struct str full = str_of(fs_join(r->expander.arena, r->expander.directory, path));
    bool is_new = path.len > 0;
    for (size_t i = 0; i < c->migrations.count; i++)
        is_new = is_new && !str_equal(c->migrations.at[i], full);
    if (is_new) {
        vec_push(r->expander.arena, &c->migrations, full);
        return true;
    }
    fail_set(r->fail, EXIT_USAGE, "%s",
             path.len ? "a directory of \"migrations\" is given twice"
                      : "a directory of \"migrations\" is empty");
    config_fail_value(r, value);
    return fail_hint(r->fail, "Remove it from the list; a single dot stands for this directory.");
}

bool config_set_directories(struct config_reading *r, const struct config_key *key,
                            const struct yaml *value)
{
    if (value->type != YAML_LIST)
        return add_directory(r, key, value);
    for (const struct yaml *item = value->children; item; item = item->next) {
        if (!add_directory(r, key, item))
            return false;
    }
    return true;
}

void config_add_layouts(struct buf *out)
{
    for (int i = 0; i < LAYOUT_MAX; i++)
        buf_printf(out, "%s%s", i ? ", " : "", layout_name((enum layout)i));
}

bool config_set_layout(struct config_reading *r, const struct config_key *key,
                       const struct yaml *value)
{
    struct str name;
    if (!read_scalar(r, key, value, &name))
        return false;
    if (layout_of_name(name, &r->config->layout))
        return true;
    refuse_value(r, key, value);
    SCOPED(buf) struct buf names = {0};
    config_add_layouts(&names);
    return fail_hint(r->fail, "The layouts are: %s.", buf_cstr(&names));
}

bool config_set_rewrite(struct config_reading *r, const struct config_key *key,
                        const struct yaml *value)
{
    struct str name;
    if (!read_scalar(r, key, value, &name))
        return false;
    return rewrite_mode_of_name(name, &r->config->rewrite) || refuse_value(r, key, value);
}

bool config_set_base(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    return read_scalar(r, key, value, &r->config->base);
}

bool config_set_placeholder(struct config_reading *r, const struct config_key *key,
                            const struct yaml *value)
{
    struct str text;
    if (!read_scalar(r, key, value, &text))
        return false;
    if (value->key.len == 0 || str_find_char(value->key, '}') != SIZE_MAX) {
        fail_set(r->fail, EXIT_USAGE, "the name of a placeholder is empty or holds a \"}\"");
        config_fail_key(r, value);
        return fail_hint(r->fail, "Use the name that stands between ${ and } in the migrations.");
    }
    if (str_find_char(text, '\n') != SIZE_MAX || str_find_char(text, '\r') != SIZE_MAX) {
        fail_set(r->fail, EXIT_USAGE, "the value of placeholder \"%.*s\" has more than one line",
                 STR_ARG(value->key));
        config_fail_value(r, value);
        return fail_hint(r->fail, "Lines of migrations must keep their numbers; use one line.");
    }
    vec_push(r->expander.arena, &r->config->placeholders,
             (struct placeholder){.name = value->key, .value = text});
    return true;
}

bool config_set_default_target(struct config_reading *r, const struct config_key *key,
                               const struct yaml *value)
{
    r->default_target = value;
    return read_scalar(r, key, value, &r->config->default_target);
}

static struct config_late take_late(const struct config_reading *r, const struct yaml *value)
{
    return (struct config_late){
        .text = value->text,
        .line = value->line,
        .column = value->column,
        .excerpt = arena_str(r->expander.arena, line_before(r, value)),
    };
}

bool config_set_url(struct config_reading *r, const struct config_key *key,
                    const struct yaml *value)
{
    if (value->type != YAML_SCALAR || config_is_null(value)) {
        fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is not %s", key->path, key->type);
        config_fail_value(r, value);
        return fail_hint(r->fail, "Write it in one line, in quotes: \"postgres://user@host/db\".");
    }
    r->target->url = take_late(r, value);
    return true;
}

bool config_set_history(struct config_reading *r, const struct config_key *key,
                        const struct yaml *value)
{
    struct str name;
    if (!read_scalar(r, key, value, &name))
        return false;
    if (name.len > 0 && name.len <= MAX_NAME_BYTES) {
        r->target->history = name;
        return true;
    }
    fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is empty or longer than %d bytes", key->path,
             MAX_NAME_BYTES);
    config_fail_value(r, value);
    return fail_hint(r->fail, "Choose a short name, or leave the key out for \"migrator\".");
}

bool config_set_duration(struct config_reading *r, const struct config_key *key,
                         const struct yaml *value)
{
    struct str text;
    if (!read_scalar(r, key, value, &text))
        return false;
    int64_t duration_ms;
    /* Servers take these as 32-bit numbers of milliseconds, and 0 for no limit at all. */
    if (!clock_parse_duration(text, &duration_ms) || duration_ms > INT32_MAX) {
        refuse_value(r, key, value);
        return fail_hint(r->fail, "Write a number with a unit (ms, s, m, h, d), up to 24d.");
    }
    if (duration_ms == 0) {
        refuse_value(r, key, value);
        return fail_hint(r->fail, "Zero would mean to wait without end; write a longer time.");
    }
    *(int64_t *)(void *)((char *)r->config + key->offset) = duration_ms;
    return true;
}

bool config_set_duration_or_off(struct config_reading *r, const struct config_key *key,
                                const struct yaml *value)
{
    bool is_off = value->type == YAML_SCALAR && !value->is_quoted &&
                  str_equal_nocase(value->text, STR("off"));
    if (!is_off)
        return config_set_duration(r, key, value);
    *(int64_t *)(void *)((char *)r->config + key->offset) = 0;
    return true;
}

bool config_set_count(struct config_reading *r, const struct config_key *key,
                      const struct yaml *value)
{
    struct str text;
    if (!read_scalar(r, key, value, &text))
        return false;
    int64_t count;
    if (!str_to_i64(text, &count) || count < 1 || count > MAX_ATTEMPTS) {
        refuse_value(r, key, value);
        return fail_hint(r->fail, "Write a number such as %s.", key->fallback);
    }
    *(int64_t *)(void *)((char *)r->config + key->offset) = count;
    return true;
}

/* Zero is a wish here: what waits need not wait for long. */
bool config_set_soak(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    struct str text;
    if (!read_scalar(r, key, value, &text))
        return false;
    int64_t duration_ms;
    if (!clock_parse_duration(text, &duration_ms) || duration_ms > SOAK_MAX_MS) {
        refuse_value(r, key, value);
        return fail_hint(r->fail, "Write a number with a unit (ms, s, m, h, d), up to 366d; or 0.");
    }
    *(int64_t *)(void *)((char *)r->config + key->offset) = duration_ms;
    return true;
}

bool config_set_hazard(struct config_reading *r, const struct config_key *key,
                       const struct yaml *value)
{
    struct str word;
    if (!read_scalar(r, key, value, &word))
        return false;
    struct config_hazard one = {
        .id = value->key,
        .line = value->key_line,
        .column = value->key_column,
        .excerpt = yaml_line(r->text, value->key_line),
    };
    if (!hazard_level_of_name(word, &one.level)) {
        refuse_value(r, key, value);
        return fail_hint(r->fail,
                         "\"block\" stops, \"warn\" and \"note\" tell, \"off\" is silent.");
    }
    vec_push(r->expander.arena, &r->config->hazards, one);
    return true;
}

bool config_set_late(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    if (value->type != YAML_SCALAR || config_is_null(value)) {
        fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is not %s", key->path, key->type);
        config_fail_value(r, value);
        return fail_hint(r->fail, "Write it in one line, in quotes; ${NAME} is a variable.");
    }
    *(struct config_late *)(void *)((char *)r->config + key->offset) = take_late(r, value);
    return true;
}

bool config_set_text(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    struct str *out = (void *)((char *)r->config + key->offset);
    if (!read_scalar(r, key, value, out))
        return false;
    if (out->len)
        return true;
    fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is empty", key->path);
    config_fail_value(r, value);
    return fail_hint(r->fail, "Give it a value, or leave the key out.");
}

bool config_set_dump(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    if (!config_set_text(r, key, value))
        return false;
    struct str *path = &r->config->copy_dump;
    *path = str_of(fs_join(r->expander.arena, r->expander.directory, *path));
    return true;
}
