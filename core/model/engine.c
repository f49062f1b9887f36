/* Names of the engines: see engine.h. */
#include "core/model/engine.h"

struct engine_row {
    struct str name;
    enum engine engine;
};

/* The first row of an engine holds the name that is printed; the others are only read. */
static const struct engine_row rows[] = {
    {{"unknown", 7}, ENGINE_UNKNOWN},      {{"postgres", 8}, ENGINE_POSTGRES},
    {{"postgresql", 10}, ENGINE_POSTGRES}, {{"pg", 2}, ENGINE_POSTGRES},
    {{"sqlite", 6}, ENGINE_SQLITE},        {{"sqlite3", 7}, ENGINE_SQLITE},
};

const char *engine_name(enum engine e)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].engine == e)
            return rows[i].name.at;
    }
    BUG("an engine without a name");
}

enum engine engine_of_name(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_equal_nocase(rows[i].name, name))
            return rows[i].engine;
    }
    return ENGINE_UNKNOWN;
}
