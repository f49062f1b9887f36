/* Names of files: see file_name.h. */
#include "drivers/source/file_name.h"

#include "core/base/arena.h"

bool numbered_name_parse(struct str name, struct numbered_name *out)
{
    size_t digits = 0;
    while (digits < name.len && char_is_digit(name.at[digits]))
        digits++;
    struct str extension = name_extension(name);
    if (digits == 0 || extension.len == 0)
        return false;
    struct numbered_name n = {
        .number = {.at = name.at, .len = digits},
        .extension = extension,
    };
    struct str rest = str_skip(name, digits);
    if (rest.at[0] == '_' || rest.at[0] == '-')
        n.separator = rest.at[0];
    rest.len -= extension.len + 1;
    if (str_ends(rest, STR(".up"))) {
        n.direction = DIRECTION_UP;
        rest.len -= strlen(".up");
    } else if (str_ends(rest, STR(".down"))) {
        n.direction = DIRECTION_DOWN;
        rest.len -= strlen(".down");
    }
    n.text = str_skip(rest, n.separator ? 1 : 0);
    *out = n;
    return true;
}

struct str name_extension(struct str name)
{
    const char *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;
    return dot ? str_range(dot + 1, name.at + name.len) : (struct str){0};
}

static bool is_one_of(struct str word, const char *const *words, size_t count)
{
    for (size_t i = 0; word.len && i < count; i++)
        if (char_lower(words[i][0]) == char_lower(word.at[0]) &&
            str_equal_nocase(word, str_of(words[i])))
            return true;
    return false;
}

bool extension_is_sql(struct str extension)
{
    return str_equal_nocase(extension, STR("sql"));
}

bool extension_is_code(struct str extension)
{
    static const char *const code[] = {"go",  "java", "kt", "kts",   "js",    "ts",
                                       "mjs", "cjs",  "py", "rb",    "rs",    "exs",
                                       "ex",  "php",  "cs", "scala", "groovy"};
    return is_one_of(extension, code, ARRAY_LEN(code));
}

bool name_is_companion(struct str name)
{
    static const char *const names[] = {"schema.sql", "structure.sql"};
    static const char *const extensions[] = {"md",   "markdown",   "rst",  "json", "toml",
                                             "yml",  "yaml",       "conf", "xml",  "sum",
                                             "lock", "properties", "ini"};
    if (name.len && name.at[0] == '.')
        return true;
    if (is_one_of(name, names, ARRAY_LEN(names)))
        return true;
    struct str extension = name_extension(name);
    if (extension_is_sql(extension))
        return false;
    return str_starts_nocase(name, STR("README")) || str_starts_nocase(name, STR("LICENSE")) ||
           str_starts_nocase(name, STR("COPYING")) ||
           is_one_of(extension, extensions, ARRAY_LEN(extensions));
}

bool name_looks_like_migration(struct str name)
{
    if (name_is_companion(name))
        return false;
    if (extension_is_sql(name_extension(name)))
        return true;
    if (name.len && char_is_digit(name.at[0]))
        return true;
    return name.len > 1 && memchr("VURB", name.at[0], 4) &&
           (char_is_digit(name.at[1]) || str_starts(str_skip(name, 1), STR("__")));
}

bool name_is_engine(struct str name)
{
    static const char *const engines[] = {
        "postgres", "postgresql", "pg",     "sqlite", "sqlite3",    "mysql",  "mariadb",
        "mssql",    "sqlserver",  "oracle", "h2",     "clickhouse", "duckdb", "cockroachdb"};
    return is_one_of(name, engines, ARRAY_LEN(engines));
}

struct str name_description(struct arena *a, struct str text)
{
    if (str_find_char(text, '_') == SIZE_MAX)
        return text;
    char *copy = arena_cstr(a, text);
    for (size_t i = 0; i < text.len; i++)
        if (copy[i] == '_')
            copy[i] = ' ';
    return (struct str){.at = copy, .len = text.len};
}
