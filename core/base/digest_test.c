/* SHA-256 against the vectors of FIPS 180-4, in one piece and in many, and what it costs. */
#include "core/base/digest.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "drivers/testkit/fixture.h"

#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

/* First in its program, so that the first use of libcrypto is in the time. */
static void a_thousand_small_digests_cost_a_few_milliseconds(void **state)
{
    (void)state;
    int64_t from_us = fixture_work_us();
    char text[300] = {0};
    for (int i = 0; i < 1000; i++) {
        text[0] = (char)i;
        struct digest d = digest_of((struct str){text, sizeof(text)});
        assert_true(digest_is_set(&d));
    }
    int64_t took_us = fixture_work_us() - from_us;
    print_message("1000 digests with the first use: %lld us\n", (long long)took_us);
    /* It takes about 1500 us; the limit leaves room for a slow machine and a sanitized build, and
       still shows a lookup of the algorithm through openssl.cnf for each digest. */
    assert_true(took_us < 100000);
}

static void the_vectors_of_the_standard_hold(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *hex;
    } rows[] = {
        {{NULL, 0}, EMPTY_HEX},
        {{"abc", 3}, ABC_HEX},
        {{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56},
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct digest d = digest_of(rows[i].text);
        assert_string_equal(d.hex, rows[i].hex);
    }
}

/* RFC 4231, test cases 1 and 2. */
static void the_vectors_of_hmac_hold(void **state)
{
    (void)state;
    char key[20];
    memset(key, 0x0b, sizeof(key));
    struct digest one = digest_hmac((struct str){key, sizeof(key)}, STR("Hi There"));
    assert_string_equal(one.hex,
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    struct digest two = digest_hmac(STR("Jefe"), STR("what do ya want for nothing?"));
    assert_string_equal(two.hex,
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
    (void)state;
    struct digest_stream *one = digest_start();
    struct digest_stream *other = digest_start(); /* two at a time do not share a context */
    digest_add(one, STR("a"));
    digest_add(other, STR("xyz"));
    digest_add(one, (struct str){NULL, 0});
    digest_add(one, STR("bc"));
    digest_abandon(other);
    struct digest d = digest_finish(one);
    assert_string_equal(d.hex, ABC_HEX);
    digest_abandon(NULL);
    struct digest again = digest_of(STR("abc"));
    assert_true(digest_equal(&d, &again));
    struct digest empty = digest_of(STR(""));
    assert_false(digest_equal(&d, &empty));
}

static void *digest_many(void *context)
{
    bool *is_same = context;
    for (int i = 0; i < 2000; i++) {
        struct digest d = digest_of(STR("abc"));
        *is_same = *is_same && strcmp(d.hex, ABC_HEX) == 0;
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool is_same[4] = {true, true, true, true};
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, digest_many, &is_same[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(is_same[i]);
    }
}

static void only_64_lower_case_hex_digits_are_a_digest(void **state)
{
    (void)state;
    struct digest d = {{0}};
    assert_false(digest_is_set(&d));
    assert_int_equal(digest_str(&d).len, 0);
    assert_true(digest_parse(STR(ABC_HEX), &d));
    assert_string_equal(d.hex, ABC_HEX);
    assert_true(digest_is_set(&d));
    assert_int_equal(digest_str(&d).len, DIGEST_HEX_LEN);

    struct digest untouched = {{0}};
    static const char *const bad[] = {
        "",
        "ba78",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ABC_HEX "0",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(digest_parse(str_of(bad[i]), &untouched));
    assert_false(digest_is_set(&untouched));
}

static void random_ids_are_32_hex_digits_and_differ(void **state)
{
    (void)state;
    SCOPED(arena) struct arena *a = arena_make();
    const char *one = digest_random_id(a);
    const char *other = digest_random_id(a);
    assert_int_equal(strlen(one), 32);
    assert_int_equal(strspn(one, "0123456789abcdef"), 32);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_small_digests_cost_a_few_milliseconds),
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(the_vectors_of_hmac_hold),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(threads_do_not_disturb_each_other),
        cmocka_unit_test(only_64_lower_case_hex_digits_are_a_digest),
        cmocka_unit_test(random_ids_are_32_hex_digits_and_differ),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
