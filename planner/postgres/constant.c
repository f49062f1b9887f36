/*
 * Constants as values: numbers, dates and times, texts. Whatever would need the server to be read (a date
 * in another style, an exponent, a function) is no value, and nothing is proven with it but that it equals
 * its own spelling.
 */
#include "planner/postgres/expression_parts.h"
#include "planner/postgres/predicate.h"

/* What is compared: the type of the column tells how its constants are read. */
enum domain {
    DOMAIN_OTHER,
    DOMAIN_INTEGER,
    DOMAIN_NUMERIC,
    DOMAIN_FLOAT,
    DOMAIN_DATE,
    DOMAIN_TIMESTAMP,
    DOMAIN_TIMESTAMPTZ,
    DOMAIN_TEXT,
    DOMAIN_BPCHAR,
    DOMAIN_BOOL,
    DOMAIN_UUID,
    DOMAIN_ENUM,
};

static const struct {
    struct str type;
    enum domain domain;
} domains[] = {
    {STR("int2"), DOMAIN_INTEGER},        {STR("int4"), DOMAIN_INTEGER},
    {STR("int8"), DOMAIN_INTEGER},        {STR("oid"), DOMAIN_INTEGER},
    {STR("numeric"), DOMAIN_NUMERIC},     {STR("float4"), DOMAIN_FLOAT},
    {STR("float8"), DOMAIN_FLOAT},        {STR("date"), DOMAIN_DATE},
    {STR("timestamp"), DOMAIN_TIMESTAMP}, {STR("timestamptz"), DOMAIN_TIMESTAMPTZ},
    {STR("text"), DOMAIN_TEXT},           {STR("varchar"), DOMAIN_TEXT},
    {STR("bpchar"), DOMAIN_BPCHAR},       {STR("bool"), DOMAIN_BOOL},
    {STR("uuid"), DOMAIN_UUID},
};

static enum domain domain_of(const struct type_ref *type)
{
    struct type_ref base = type_base(type);
    if (base.is_array)
        return DOMAIN_OTHER;
    if (base.user && base.user->kind == TYPE_ENUM)
        return DOMAIN_ENUM;
    for (size_t i = 0; i < ARRAY_LEN(domains); i++) {
        if (str_equal(domains[i].type, base.builtin))
            return domains[i].domain;
    }
    return DOMAIN_OTHER;
}

/* Whether a constant of a type of its own is compared with such a column without the column being cast,
   and without the session's time zone. */
static bool may_compare(enum domain column, enum domain constant)
{
    if (column == DOMAIN_FLOAT)
        return constant == DOMAIN_INTEGER || constant == DOMAIN_NUMERIC || constant == DOMAIN_FLOAT;
    if (column == DOMAIN_NUMERIC)
        return constant == DOMAIN_INTEGER || constant == DOMAIN_NUMERIC;
    if (column == DOMAIN_DATE || column == DOMAIN_TIMESTAMP)
        return constant == DOMAIN_DATE || constant == DOMAIN_TIMESTAMP;
    return column == constant;
}

static struct constant text_constant(struct str text, enum text_order order)
{
    return (struct constant){.kind = CONSTANT_TEXT, .text = text, .order = order};
}

/* ---- numbers ---- */

#define DIGITS_MAX                                                                                 \
    19 /* with as many behind the point: what 128 bits hold when scales are made equal */
#define SCALE_MAX 18

static struct constant read_number(struct str s, bool is_negative)
{
    struct constant out = {.kind = CONSTANT_NUMBER};
    size_t digits = 0;
    bool has_point = false;
    struct str rest = str_trim(s);
    if (rest.len && (rest.at[0] == '-' || rest.at[0] == '+')) {
        is_negative ^= rest.at[0] == '-';
        rest = str_skip(rest, 1);
    }
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (!char_is_digit(rest.at[i]) || ++digits > DIGITS_MAX || out.scale == SCALE_MAX)
            return text_constant(s, TEXT_SAME);
        out.number = out.number * 10 + (rest.at[i] - '0');
        out.scale += has_point;
    }
    if (!digits)
        return text_constant(s, TEXT_SAME);
    out.number = is_negative ? -out.number : out.number;
    return out;
}

static enum comparison compare_numbers(const struct constant *a, const struct constant *b)
{
    __int128 x = a->number;
    __int128 y = b->number;
    for (unsigned i = a->scale; i < b->scale; i++)
        x *= 10;
    for (unsigned i = b->scale; i < a->scale; i++)
        y *= 10;
    return x < y ? COMPARISON_LESS : x > y ? COMPARISON_GREATER : COMPARISON_EQUAL;
}

/* ---- dates and times: ISO 8601 ---- */

/* A number of so many digits at most, from the front of *s. */
static bool take_number(struct str *s, size_t most, int64_t *out)
{
    size_t len = 0;
    *out = 0;
    while (len < s->len && len < most && char_is_digit(s->at[len]))
        *out = *out * 10 + (s->at[len++] - '0');
    *s = str_skip(*s, len);
    return len > 0;
}

static bool take_char(struct str *s, char c)
{
    if (!s->len || s->at[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, as the server counts it for all times. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static bool take_date(struct str *s, int64_t *out_days)
{
    int64_t year;
    int64_t month;
    int64_t day;
    if (!take_number(s, 4, &year) || year < 1 || !take_char(s, '-') || !take_number(s, 2, &month) ||
        !take_char(s, '-') || !take_number(s, 2, &day) || month < 1 || month > 12 || day < 1 ||
        day > 31)
        return false;
    *out_days = days_from_civil(year, month, day);
    return true;
}

/* hh:mm[:ss[.ffffff]] */
static bool take_clock(struct str *s, int64_t *out_us)
{
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    int64_t fraction = 0;
    if (!take_number(s, 2, &hour) || !take_char(s, ':') || !take_number(s, 2, &minute))
        return false;
    if (take_char(s, ':') && !take_number(s, 2, &second))
        return false;
    if (take_char(s, '.')) {
        size_t before = s->len;
        if (!take_number(s, 6, &fraction))
            return false;
        for (size_t len = before - s->len; len < 6; len++)
            fraction *= 10;
    }
    *out_us = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
    return hour <= 24 && minute < 60 && second <= 60;
}

/* Z, +hh, +hhmm, +hh:mm: microseconds to take off. */
static bool take_zone(struct str *s, int64_t *out_us)
{
    int64_t hours;
    int64_t minutes = 0;
    *out_us = 0;
    if (take_char(s, 'Z') || take_char(s, 'z'))
        return true;
    bool is_west = s->len && s->at[0] == '-';
    if (!take_char(s, '-') && !take_char(s, '+'))
        return false;
    if (!take_number(s, 2, &hours))
        return false;
    if (s->len)
        (void)take_char(s, ':');
    if (s->len && !take_number(s, 2, &minutes))
        return false;
    *out_us = (hours * 60 + minutes) * 60000000 * (is_west ? -1 : 1);
    return true;
}

static bool read_infinity(struct str s, struct constant *out)
{
    bool is_negative = take_char(&s, '-');
    *out = (struct constant){.kind = CONSTANT_TIME, .has_zone = true};
    out->number = (__int128)1 << 100;
    if (is_negative)
        out->number = -out->number;
    return str_equal_nocase(s, STR("infinity"));
}

static struct constant read_time(struct str text, enum domain domain)
{
    struct str s = str_trim(text);
    struct constant out;
    int64_t days;
    int64_t clock = 0;
    int64_t zone = 0;
    if (read_infinity(s, &out))
        return out;
    out = (struct constant){.kind = CONSTANT_TIME};
    if (!take_date(&s, &days))
        return text_constant(text, TEXT_SAME);
    if (s.len && !take_char(&s, ' ') && !take_char(&s, 'T'))
        return text_constant(text, TEXT_SAME);
    if (s.len && !take_clock(&s, &clock))
        return text_constant(text, TEXT_SAME);
    s = str_trim(s);
    if (s.len) {
        if (!take_zone(&s, &zone) || s.len)
            return text_constant(text, TEXT_SAME);
        out.has_zone = true;
    }
    /* A date leaves the clock out, a timestamp the zone. */
    out.number = (__int128)days * 86400000000 + (domain == DOMAIN_DATE ? 0 : clock);
    if (domain == DOMAIN_TIMESTAMPTZ)
        out.number -= zone;
    else
        out.has_zone = false;
    return out;
}

static bool is_infinite(const struct constant *t)
{
    __int128 limit = (__int128)1 << 99;
    return t->number > limit || t->number < -limit;
}

static enum comparison compare_times(const struct constant *a, const struct constant *b,
                                     bool is_utc)
{
    bool is_comparable = a->has_zone == b->has_zone || is_utc || is_infinite(a) || is_infinite(b);
    return is_comparable ? compare_numbers(a, b) : COMPARISON_UNKNOWN;
}

/* ---- texts ---- */

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!char_is_digit(s.at[i]))
            return false;
    }
    return s.len > 0;
}

static enum comparison compare_texts(const struct constant *a, const struct constant *b)
{
    int order = str_compare(a->text, b->text);
    if (order == 0)
        return COMPARISON_EQUAL;
    if (a->order == TEXT_SAME || b->order == TEXT_SAME)
        return COMPARISON_UNKNOWN;
    /* Digits of the same number are in their order in every language. */
    bool is_plain = a->text.len == b->text.len && is_digits(a->text) && is_digits(b->text);
    if (!is_plain && (a->order != TEXT_ORDERED || b->order != TEXT_ORDERED))
        return COMPARISON_DIFFERENT;
    return order < 0 ? COMPARISON_LESS : COMPARISON_GREATER;
}

static enum text_order order_of(struct str collation)
{
    size_t dot = str_find_char(collation, '.');
    if (dot != SIZE_MAX)
        collation = str_skip(collation, dot + 1);
    if (!collation.len || str_equal(collation, STR("default")))
        return TEXT_EXACT;
    bool is_c = str_equal(collation, STR("C")) || str_equal(collation, STR("POSIX")) ||
                str_equal(collation, STR("ucs_basic"));
    return is_c ? TEXT_ORDERED : TEXT_SAME;
}

static struct str without_blanks(struct str s)
{
    while (s.len && s.at[s.len - 1] == ' ')
        s.len--;
    return s;
}

static struct constant read_bool(struct str s)
{
    static const struct str yes[] = {STR("t"),   STR("true"), STR("y"),
                                     STR("yes"), STR("on"),   STR("1")};
    static const struct str no[] = {STR("f"),  STR("false"), STR("n"),
                                    STR("no"), STR("off"),   STR("0")};
    struct constant out = {.kind = CONSTANT_NUMBER, .is_bool = true};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (str_equal_nocase(str_trim(s), yes[i])) {
            out.number = 1;
            return out;
        }
        if (str_equal_nocase(str_trim(s), no[i]))
            return out;
    }
    return text_constant(s, TEXT_SAME);
}

static struct constant read_label(struct str s, const struct type_ref *type)
{
    struct type_ref base = type_base(type);
    for (size_t i = 0; i < base.user->labels.count; i++) {
        if (str_equal(base.user->labels.at[i], s))
            return (struct constant){.kind = CONSTANT_NUMBER, .number = (__int128)i};
    }
    return text_constant(s, TEXT_SAME);
}

/* ---- any of them ---- */

static struct constant read_text(struct str s, enum domain domain, const struct type_ref *type,
                                 struct str collation)
{
    switch (domain) {
    case DOMAIN_INTEGER:
    case DOMAIN_NUMERIC:
    case DOMAIN_FLOAT:
        return read_number(s, false);
    case DOMAIN_DATE:
    case DOMAIN_TIMESTAMP:
    case DOMAIN_TIMESTAMPTZ:
        return read_time(s, domain);
    case DOMAIN_TEXT:
        return text_constant(s, order_of(collation));
    case DOMAIN_BPCHAR:
        return text_constant(without_blanks(s), order_of(collation));
    case DOMAIN_BOOL:
        return read_bool(s);
    case DOMAIN_ENUM:
        return read_label(s, type);
    case DOMAIN_UUID:
    case DOMAIN_OTHER:
        break;
    }
    return text_constant(s, TEXT_SAME);
}

/* 5, 5.5, 'text', true; a minus before it. */
static struct constant read_plain(const PgQuery__AConst *constant, bool is_negative,
                                  enum domain domain, enum domain own, const struct type_ref *type,
                                  struct str collation)
{
    char number[16];
    if (constant->isnull)
        return (struct constant){.kind = CONSTANT_NULL};
    switch (constant->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        (void)snprintf(number, sizeof(number), "%d", (int)constant->ival->ival);
        return read_number(str_of(number), is_negative);
    case PG_QUERY__A__CONST__VAL_FVAL:
        return read_number(str_of(constant->fval->fval), is_negative);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return (struct constant){
            .kind = CONSTANT_NUMBER, .number = constant->boolval->boolval != 0, .is_bool = true};
    case PG_QUERY__A__CONST__VAL_SVAL:
        /* As its own type says: '2024-01-01 10:00'::date has no clock. */
        if (!is_negative)
            return read_text(str_of(constant->sval->sval), own == DOMAIN_OTHER ? domain : own, type,
                             collation);
        break;
    default:
        break;
    }
    return (struct constant){.kind = CONSTANT_UNKNOWN};
}

struct constant constant_read(const struct catalog *c, const PgQuery__Node *node,
                              const struct type_ref *type, struct str collation)
{
    struct constant unknown = {.kind = CONSTANT_UNKNOWN};
    enum domain domain = domain_of(type);
    struct type_ref own = expression_type(c, NULL, node);
    bool is_negative = false;
    while (node->node_case == PG_QUERY__NODE__NODE_TYPE_CAST && node->type_cast->arg)
        node = node->type_cast->arg;
    if (node->node_case == PG_QUERY__NODE__NODE_A_EXPR && !node->a_expr->lexpr &&
        node->a_expr->rexpr && node->a_expr->n_name == 1 &&
        node->a_expr->name[0]->node_case == PG_QUERY__NODE__NODE_STRING &&
        strcmp(node->a_expr->name[0]->string->sval, "-") == 0) {
        is_negative = true;
        node = node->a_expr->rexpr;
    }
    if (node->node_case != PG_QUERY__NODE__NODE_A_CONST || !type_is_known(type))
        return unknown;
    bool is_literal = type_is_literal(&own);
    struct type_ref base = type_base(type);
    /* A length that is applied to it may change it. */
    if (!is_literal && own.typmod >= 0)
        return unknown;
    if (!is_literal && domain == DOMAIN_OTHER
            ? !type_same(&own, &base)
            : !is_literal && !may_compare(domain, domain_of(&own)))
        return unknown;
    return read_plain(node->a_const, is_negative, domain,
                      is_literal ? DOMAIN_OTHER : domain_of(&own), type, collation);
}

enum comparison constant_compare(const struct constant *a, const struct constant *b, bool is_utc)
{
    if (a->kind != b->kind)
        return COMPARISON_UNKNOWN;
    switch (a->kind) {
    case CONSTANT_NUMBER:
        return compare_numbers(a, b);
    case CONSTANT_TIME:
        return compare_times(a, b, is_utc);
    case CONSTANT_TEXT:
        return compare_texts(a, b);
    case CONSTANT_UNKNOWN:
    case CONSTANT_NULL:
        break;
    }
    return COMPARISON_UNKNOWN;
}
