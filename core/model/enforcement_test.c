/* Which units run with foreign keys on, off or as the connection has them. */
#include "core/model/enforcement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"

/* One letter per statement: '+' PRAGMA foreign_keys = ON, '-' OFF, 'd' PRAGMA defer_foreign_keys = ON,
   'u' it is OFF again, 's' one that heeds foreign keys, 't' one that does not, 'a' one that stands alone,
   'b' BEGIN, 'c' COMMIT, 'r' ROLLBACK. */
static struct statement statement_of(char letter)
{
    struct statement s = {.text = STR("text"), .kind = "INSERT", .is_analysed = true};
    static const struct {
        char letter;
        enum transaction_role role;
    } roles[] = {{'+', ROLE_HOISTED}, {'-', ROLE_HOISTED}, {'a', ROLE_ALONE},
                 {'b', ROLE_BEGIN},   {'c', ROLE_COMMIT},  {'r', ROLE_ROLLBACK}};
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (roles[i].letter == letter)
            s.role = roles[i].role;
    }
    s.sets_deferral = letter == 'd' || letter == 'u';
    s.is_switched_on = letter == '+' || letter == 'd';
    s.heeds_foreign_keys = letter == 's';
    return s;
}

/* A word per unit: '.' as opened, '-' off, '+' on, '~' on later; 'd' behind it: deferred. '!': a warning. */
static void run(const char *script, enum transaction_mode mode, struct buf *out)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct enforcements found;
    struct grouping g = grouping_start(ENGINE_SQLITE, mode);
    struct enforcement_pass pass = enforcement_start(a, &found);
    bool has_warned = false;
    for (const char *at = script; *at; at++) {
        struct statement s = statement_of(*at);
        struct grouping_step step;
        assert_true(grouping_feed(&g, &s, false, STR("t.sql"), &step, &f));
        has_warned |= enforcement_feed(&pass, &g, &step, &s) != NULL;
    }
    enforcement_end(&pass);
    for (uint32_t unit = 1; unit <= g.unit; unit++) {
        struct enforcement_change e = enforcement_of(&found, unit);
        static const char letters[] = {[ENFORCEMENT_AS_OPENED] = '.',
                                       [ENFORCEMENT_OFF] = '-',
                                       [ENFORCEMENT_ON] = '+',
                                       [ENFORCEMENT_ON_LATER] = '~'};
        buf_add_char(out, letters[e.enforcement]);
        if (e.is_deferred)
            buf_add_char(out, 'd');
    }
    if (has_warned)
        buf_add_char(out, '!');
}

static const struct enforcement_case {
    const char *script;
    enum transaction_mode mode;
    const char *expected;
} cases[] = {
    {"ss", TRANSACTION_AUTO, "."},
    {"+ss", TRANSACTION_AUTO, "+"},
    {"-ss", TRANSACTION_AUTO, "-"},
    {"-ss+", TRANSACTION_AUTO, "-"},
    {"-ss+t", TRANSACTION_AUTO, "-"},
    {"-ss+s", TRANSACTION_AUTO, "-"},
    {"+ss-", TRANSACTION_AUTO, "+"},
    {"+s-s", TRANSACTION_AUTO, "-"},
    {"ss+", TRANSACTION_AUTO, "."},
    {"ss-", TRANSACTION_AUTO, "."},
    {"s-s", TRANSACTION_AUTO, "-"},
    {"tt+s", TRANSACTION_AUTO, "+"},
    {"s+s", TRANSACTION_AUTO, "~"},
    {"+", TRANSACTION_AUTO, ""},
    {"+tt", TRANSACTION_AUTO, "."},
    {"+-s", TRANSACTION_AUTO, "-"},
    /* the file's own transactions */
    {"+bssc", TRANSACTION_AUTO, "+"},
    {"-bssc+", TRANSACTION_AUTO, "-"},
    {"+bsc-bsc", TRANSACTION_AUTO, "+-"},
    {"bsc+bsc-bscbsc", TRANSACTION_AUTO, ".+--"},
    {"b-ssc", TRANSACTION_AUTO, "-"},
    {"b-ss+csc", TRANSACTION_AUTO, "-."},
    {"b+ssc", TRANSACTION_AUTO, ".!"},
    {"b+ssc+s", TRANSACTION_AUTO, ".+!"},
    {"+b+ssc", TRANSACTION_AUTO, "+"},
    {"+b-sscs", TRANSACTION_AUTO, "-+"},
    {"+bsrs", TRANSACTION_AUTO, "++"},
    {"s+c-bs", TRANSACTION_AUTO, ".-"},
    /* alone, and each for itself */
    {"+sas", TRANSACTION_AUTO, "+.+"},
    {"+s-ss", TRANSACTION_NONE, "+--"},
    {"s+s-s", TRANSACTION_NONE, ".+-"},
    /* deferred until the end of the next transaction */
    {"+dbssc", TRANSACTION_AUTO, "+d"},
    {"d+bssc", TRANSACTION_AUTO, "+d"},
    {"+dubssc", TRANSACTION_AUTO, "+"},
    {"+dsbssc", TRANSACTION_AUTO, "+d+"},
    {"+sdbssc", TRANSACTION_AUTO, "++d"},
    {"+dbscbsc", TRANSACTION_AUTO, "+d+"},
    {"+bdscbsc", TRANSACTION_AUTO, "++"},
    {"+dss", TRANSACTION_AUTO, "+d"},
    {"+dss", TRANSACTION_NONE, "+d+"},
    {"+das", TRANSACTION_AUTO, ".d+"},
};

static void every_order_of_pragmas_means_what_the_shell_would_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCOPED(buf) struct buf found = {0};
        run(cases[i].script, cases[i].mode, &found);
        if (strcmp(buf_cstr(&found), cases[i].expected) != 0)
            fail_msg("%s: %s, not %s", cases[i].script, buf_cstr(&found), cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_of_pragmas_means_what_the_shell_would_do),
    };
    return cmocka_run_group_tests_name("enforcement", tests, NULL, NULL);
}
