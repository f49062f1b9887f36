/* Which time zones have always been at UTC (pgtz.c: pg_get_timezone_offset). */
#include "planner/postgres/type_parts.h"

/* Names of the tz database whose every offset is 0, in lower case. */
static const struct str utc_zones[] = {
    STR("utc"),      STR("etc/utc"),   STR("uct"),           STR("etc/uct"),       STR("gmt"),
    STR("etc/gmt"),  STR("gmt0"),      STR("etc/gmt0"),      STR("gmt+0"),         STR("etc/gmt+0"),
    STR("gmt-0"),    STR("etc/gmt-0"), STR("universal"),     STR("etc/universal"), STR("zulu"),
    STR("etc/zulu"), STR("greenwich"), STR("etc/greenwich"), STR("factory"),
};

/* "0", "+00", "-00:00": an offset without one. */
static bool is_zero_offset(struct str s)
{
    bool has_digit = false;
    if (s.len && (s.at[0] == '+' || s.at[0] == '-'))
        s = str_skip(s, 1);
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] != '0' && s.at[i] != ':' && s.at[i] != '.')
            return false;
        has_digit |= s.at[i] == '0';
    }
    return has_digit;
}

/* POSIX: three letters or more, or <…>, and an offset; no daylight saving time. */
static struct str behind_posix_name(struct str s)
{
    size_t len = 0;
    if (s.len && s.at[0] == '<') {
        size_t end = str_find_char(s, '>');
        return end == SIZE_MAX ? (struct str){0} : str_skip(s, end + 1);
    }
    while (len < s.len && char_is_alpha(s.at[len]))
        len++;
    return len >= 3 ? str_skip(s, len) : (struct str){0};
}

bool time_zone_is_always_utc(struct str name)
{
    name = str_trim(name);
    for (size_t i = 0; i < ARRAY_LEN(utc_zones); i++) {
        if (str_equal_nocase(name, utc_zones[i]))
            return true;
    }
    return is_zero_offset(name) || is_zero_offset(behind_posix_name(name));
}
