/*
 * Order of versions. The numbers have no upper limit (a timestamp with microseconds has 20 digits),
 * so they are compared as texts of digits: without leading zeros, the longer one is greater.
 */
#include "core/model/version.h"

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!char_is_digit(s.at[i]))
            return false;
    }
    return s.len > 0;
}

static int compare_numbers(struct str a, struct str b)
{
    while (a.len && a.at[0] == '0')
        a = str_skip(a, 1);
    while (b.len && b.at[0] == '0')
        b = str_skip(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return str_compare(a, b);
}

/* Cuts off the part in front of the next '.' or '_'. *out_has_more: there was such a separator. */
static struct str cut_part(struct str s, struct str *out_part, bool *out_has_more)
{
    size_t len = 0;
    while (len < s.len && s.at[len] != '.' && s.at[len] != '_')
        len++;
    *out_part = (struct str){.at = s.at, .len = len};
    *out_has_more = len < s.len;
    return str_skip(s, len + 1);
}

static bool is_dotted(struct str s)
{
    bool has_more = true;
    while (has_more) {
        struct str part;
        s = cut_part(s, &part, &has_more);
        if (!is_number(part))
            return false;
    }
    return true;
}

/* Part by part, a missing one being 0: so 1, 1.0 and 01 are equal (flyway-core, MigrationVersion).
 */
static int compare_dotted(struct str a, struct str b)
{
    bool a_has_more = true, b_has_more = true;
    while (a_has_more || b_has_more) {
        struct str a_part = {0}, b_part = {0};
        if (a_has_more)
            a = cut_part(a, &a_part, &a_has_more);
        if (b_has_more)
            b = cut_part(b, &b_part, &b_has_more);
        int order = compare_numbers(a_part, b_part);
        if (order != 0)
            return order;
    }
    return 0;
}

int version_compare(enum version_order order, struct str a, struct str b)
{
    bool (*fits)(struct str) = NULL;
    int (*compare)(struct str, struct str) = str_compare;
    switch (order) {
    case VERSION_ORDER_UNKNOWN:
    case VERSION_ORDER_TEXT:
        break;
    case VERSION_ORDER_NUMBER:
        fits = is_number;
        compare = compare_numbers;
        break;
    case VERSION_ORDER_DOTTED:
        fits = is_dotted;
        compare = compare_dotted;
        break;
    }
    bool a_fits = !fits || fits(a);
    bool b_fits = !fits || fits(b);
    if (a_fits != b_fits)
        return a_fits ? -1 : 1;
    return a_fits ? compare(a, b) : str_compare(a, b);
}
