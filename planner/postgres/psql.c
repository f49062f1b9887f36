/* psql's commands by name: https://www.postgresql.org/docs/current/app-psql.html. */
#include "planner/postgres/psql.h"

struct str psql_command_name(struct str text)
{
    size_t len = text.len > 0;
    while (len < text.len && !char_is_space(text.at[len]) && text.at[len] != '\\' &&
           text.at[len] != ';')
        len++;
    if (len == 1 && len < text.len && !char_is_space(text.at[len]))
        len++; /* \\ and \; */
    return (struct str){text.at, len};
}

bool psql_is_harmless(struct str name)
{
    return str_equal(name, STR("\\restrict")) || str_equal(name, STR("\\unrestrict"));
}

struct hint_row {
    const char *name;
    const char *hint;
};

static const struct hint_row hints[] = {
    {"\\.", "It ends the data of a COPY … FROM stdin, and none is open here."},
    {"\\c", "A migration runs in one database; make a target for each."},
    {"\\connect", "A migration runs in one database; make a target for each."},
    {"\\copy", "Use COPY … FROM stdin with the data in the file."},
    {"\\echo", "Take it out, or use a comment."},
    {"\\g", "End the statement with a semicolon."},
    {"\\gexec", "Write a DO block that does EXECUTE."},
    {"\\gset", "Write a DO block with a variable."},
    {"\\i", "Put the statements in the file itself."},
    {"\\include", "Put the statements in the file itself."},
    {"\\include_relative", "Put the statements in the file itself."},
    {"\\ir", "Put the statements in the file itself."},
    {"\\if", "Write a DO block with IF."},
    {"\\pset", "Take it out; it only changes how psql prints."},
    {"\\set", "Write the value itself, or use a placeholder ${name} in a flyway layout."},
    {"\\timing", "Take it out; it only changes what psql prints."},
};

bool psql_is_known(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (str_equal(name, str_of(hints[i].name)))
            return true;
    }
    return false;
}

const char *psql_hint(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (str_equal(name, str_of(hints[i].name)))
            return hints[i].hint;
    }
    return "Take it out, or write it as SQL; migrate runs SQL only.";
}
