/*
 * The keys of migrator.yml: one table that says what may stand where, of what type it is, what it
 * is when it is not given, and what the example says about it; and how each kind of value is read.
 */
#include "core/model/config_parts.h"

#include "core/base/clock.h"
#include "core/base/fs.h"
#include "core/base/text.h"
#include "core/base/vec.h"

/* PostgreSQL truncates longer names (NAMEDATALEN - 1). */
#define MAX_NAME_BYTES 63
#define MAX_ATTEMPTS 10000
#define SOAK_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

static config_setter set_directories, set_layout, set_base, set_rewrite, set_placeholder,
    set_default_target, set_url, set_history, set_duration, set_duration_or_off, set_count,
    set_soak, set_hazard;

static const char a_text[] = "a text";
static const char a_duration[] = "a duration such as 400ms, 10s, 5m or 2h";

/* Rows of differing length crash clang-format 14 when it aligns them. */
/* clang-format off */
const struct config_key config_keys[] = {
    {.path = "migrations",
     .type = "a path or a list of paths",
     .example = "db/migrations",
     .comment = "directory with the migrations, or a list of them; relative to this file",
     .set = set_directories},
    {.path = "layout",
     .type = "the name of a layout",
     .fallback = "auto",
     .comment = "how the migrations are named",
     .set = set_layout},
    {.path = "base",
     .type = a_text,
     .example = "origin/main",
     .comment = "git revision that plan --rev compares with, where --base does not say",
     .set = set_base},
    {.path = "rewrite",
     .type = "auto, suggest or off",
     .fallback = "auto",
     .comment = "whether a dangerous statement runs in its online form; suggest only shows it",
     .set = set_rewrite},
    {.path = "placeholders.*",
     .type = a_text,
     .example = "app_user",
     .name = "role",
     .comment = "what ${role} is replaced by in migrations that have placeholders",
     .set = set_placeholder},
    {.path = "target",
     .type = a_text,
     .example = "production",
     .comment = "the target that is used when --target is not given; needed when there are several",
     .set = set_default_target},
    {.path = "targets.*.url",
     .type = a_text,
     .example = "${DATABASE_URL}",
     .name = "production",
     .comment = "postgres://user@host:5432/database, sqlite:file.db, or as other tools write it",
     .set = set_url},
    {.path = "targets.*.history",
     .type = a_text,
     .fallback = "migrator",
     .name = "production",
     .comment = "schema (PostgreSQL) or prefix (SQLite) of the tables that hold the history",
     .set = set_history},
    {.path = "locks.timeout",
     .type = a_duration,
     .fallback = "400ms",
     .comment = "how long one attempt may wait for a lock, and hold up others meanwhile",
     .offset = offsetof(struct config, lock_timeout_ms),
     .set = set_duration},
    {.path = "locks.attempts",
     .type = "a whole number from 1 to 10000",
     .fallback = "12",
     .comment = "how often a lock is asked for",
     .offset = offsetof(struct config, lock_attempts),
     .set = set_count},
    {.path = "locks.budget",
     .type = a_duration,
     .fallback = "10m",
     .comment = "how long all attempts for a lock may take together",
     .offset = offsetof(struct config, lock_budget_ms),
     .set = set_duration},
    {.path = "locks.concurrently_wait",
     .type = a_duration,
     .fallback = "15m",
     .comment = "how long a statement CONCURRENTLY may wait for others while nothing moves",
     .offset = offsetof(struct config, concurrently_wait_ms),
     .set = set_duration},
    {.path = "backfill.target_batch",
     .type = a_duration,
     .fallback = "100ms",
     .comment = "how long one batch of a large change should take; batches are made to fit",
     .offset = offsetof(struct config, batch_target_ms),
     .set = set_duration},
    {.path = "backfill.max_replica_lag",
     .type = "a duration such as 5s, or off",
     .fallback = "5s",
     .comment = "batches pause while a replica is further behind; off: replicas are not looked at",
     .offset = offsetof(struct config, replica_lag_ms),
     .set = set_duration_or_off},
    {.path = "backfill.pause_on_lock_wait",
     .type = a_duration,
     .fallback = "500ms",
     .comment = "longest that a batch may hold its rows: it is then undone, and done in smaller ones",
     .offset = offsetof(struct config, batch_wait_ms),
     .set = set_duration},
    {.path = "policy.contract_after",
     .type = "a duration such as 24h or 7d, or 0",
     .fallback = "24h",
     .comment = "how long an expanded migration waits before `migrate contract` takes the old away",
     .offset = offsetof(struct config, contract_after_ms),
     .set = set_soak},
    {.path = "policy.hazards.*",
     .type = "off, note, warn or block",
     .example = "warn",
     .name = "drop-index-performance",
     .comment = "level of a hazard, by its id; `migrate explain` lists them",
     .set = set_hazard},
};
/* clang-format on */

const size_t config_key_count = ARRAY_LEN(config_keys);

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

static bool set_directories(struct config_reading *r, const struct config_key *key,
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

static bool set_layout(struct config_reading *r, const struct config_key *key,
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

static bool set_rewrite(struct config_reading *r, const struct config_key *key,
                        const struct yaml *value)
{
    struct str name;
    if (!read_scalar(r, key, value, &name))
        return false;
    return rewrite_mode_of_name(name, &r->config->rewrite) || refuse_value(r, key, value);
}

static bool set_base(struct config_reading *r, const struct config_key *key,
                     const struct yaml *value)
{
    return read_scalar(r, key, value, &r->config->base);
}

static bool set_placeholder(struct config_reading *r, const struct config_key *key,
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

static bool set_default_target(struct config_reading *r, const struct config_key *key,
                               const struct yaml *value)
{
    r->default_target = value;
    return read_scalar(r, key, value, &r->config->default_target);
}

static bool set_url(struct config_reading *r, const struct config_key *key,
                    const struct yaml *value)
{
    if (value->type != YAML_SCALAR || config_is_null(value)) {
        fail_set(r->fail, EXIT_USAGE, "the value of \"%s\" is not %s", key->path, key->type);
        config_fail_value(r, value);
        return fail_hint(r->fail, "Write it in one line, in quotes: \"postgres://user@host/db\".");
    }
    r->target->url = value->text;
    r->target->url_line = value->line;
    r->target->url_column = value->column;
    r->target->url_excerpt = arena_str(r->expander.arena, line_before(r, value));
    return true;
}

static bool set_history(struct config_reading *r, const struct config_key *key,
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

static bool set_duration(struct config_reading *r, const struct config_key *key,
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

static bool set_duration_or_off(struct config_reading *r, const struct config_key *key,
                                const struct yaml *value)
{
    bool is_off = value->type == YAML_SCALAR && !value->is_quoted &&
                  str_equal_nocase(value->text, STR("off"));
    if (!is_off)
        return set_duration(r, key, value);
    *(int64_t *)(void *)((char *)r->config + key->offset) = 0;
    return true;
}

static bool set_count(struct config_reading *r, const struct config_key *key,
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
static bool set_soak(struct config_reading *r, const struct config_key *key,
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

static bool set_hazard(struct config_reading *r, const struct config_key *key,
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
