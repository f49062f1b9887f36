/* Names of the layouts: see layout.h. */
#include "core/model/layout.h"

static const char *const names[] = {
    [LAYOUT_AUTO] = "auto",     [LAYOUT_PLAIN] = "plain",
    [LAYOUT_FLYWAY] = "flyway", [LAYOUT_GOLANG_MIGRATE] = "golang-migrate",
    [LAYOUT_DBMATE] = "dbmate", [LAYOUT_GOOSE] = "goose",
    [LAYOUT_PRISMA] = "prisma", [LAYOUT_DRIZZLE] = "drizzle",
    [LAYOUT_DIESEL] = "diesel", [LAYOUT_SQLX] = "sqlx",
};
static_assert(ARRAY_LEN(names) == LAYOUT_MAX, "every layout has a name");

const char *layout_name(enum layout l)
{
    assert(l >= 0 && l < LAYOUT_MAX);
    return names[l];
}

bool layout_of_name(struct str name, enum layout *out)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_equal_nocase(str_of(names[i]), name)) {
            *out = (enum layout)i;
            return true;
        }
    }
    return false;
}
