/*
 * SHA-256 by libcrypto's own functions rather than through EVP: a run digests thousands of small texts,
 * and nearly all that EVP costs in OpenSSL 3 is reading openssl.cnf, looking the algorithm up in a
 * provider, and making contexts. OpenSSL calls them deprecated, since they pass providers by; a digest
 * that proves a record needs no provider.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/base/digest.h"

#include "core/base/libraries.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <sys/random.h>

/* A finished stream waits in one slot for the next start; whoever finds it empty makes its own. */
struct digest_stream {
    SHA256_CTX context;
};

enum { DIGEST_BYTES = DIGEST_HEX_LEN / 2, RANDOM_ID_BYTES = 16 };

static _Atomic(struct digest_stream *) spare;

/* No answer from libcrypto or the kernel is a broken machine, not something a caller can mend. */
NORETURN static void die(const char *what)
{
    fprintf(stderr, "migrate: %s\n", what);
    exit(EXIT_FAILURE);
}

struct digest_stream *digest_start(void)
{
    struct digest_stream *d = atomic_exchange(&spare, NULL);
    if (!d)
        d = malloc(sizeof(*d));
    if (!d)
        die("out of memory");
    if (SHA256_Init(&d->context) != 1)
        die("libcrypto cannot begin a SHA-256 digest");
    return d;
}

void digest_add(struct digest_stream *d, struct str bytes)
{
    if (bytes.len && SHA256_Update(&d->context, bytes.at, bytes.len) != 1)
        die("libcrypto cannot continue a SHA-256 digest");
}

void digest_abandon(struct digest_stream *d)
{
    if (d)
        free(atomic_exchange(&spare, d));
}

static void print_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}

struct digest digest_finish(struct digest_stream *d)
{
    unsigned char bytes[DIGEST_BYTES];
    if (SHA256_Final(bytes, &d->context) != 1)
        die("libcrypto cannot finish a SHA-256 digest");
    digest_abandon(d);
    struct digest result;
    print_hex(bytes, sizeof(bytes), result.hex);
    return result;
}

struct digest digest_of(struct str bytes)
{
    struct digest_stream *d = digest_start();
    digest_add(d, bytes);
    return digest_finish(d);
}

struct digest digest_hmac(struct str key, struct str bytes)
{
    unsigned char code[DIGEST_BYTES];
    unsigned len = sizeof(code);
    if (key.len > INT32_MAX || !HMAC(EVP_sha256(), key.at, (int)key.len,
                                     (const unsigned char *)bytes.at, bytes.len, code, &len))
        die("libcrypto cannot make an HMAC");
    struct digest result;
    print_hex(code, sizeof(code), result.hex);
    return result;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
    return strcmp(a->hex, b->hex) == 0;
}

bool digest_is_set(const struct digest *d)
{
    return d->hex[0] != '\0';
}

struct str digest_str(const struct digest *d)
{
    return str_of(d->hex);
}

bool digest_parse(struct str hex, struct digest *out)
{
    if (hex.len != DIGEST_HEX_LEN)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        if (!char_is_digit(hex.at[i]) && !(hex.at[i] >= 'a' && hex.at[i] <= 'f'))
            return false;
    }
    memcpy(out->hex, hex.at, DIGEST_HEX_LEN);
    out->hex[DIGEST_HEX_LEN] = '\0';
    return true;
}

char *digest_random_id(struct arena *a)
{
    unsigned char bytes[RANDOM_ID_BYTES];
    /* getrandom(2): up to 256 bytes come whole and are not interrupted once the pool is seeded. */
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        die("the kernel gives no random bytes");
    char *id = arena_alloc(a, 2 * sizeof(bytes) + 1);
    print_hex(bytes, sizeof(bytes), id);
    return id;
}

const char *digest_library_version(bool is_runtime)
{
    return is_runtime ? OpenSSL_version(OPENSSL_VERSION_STRING) : OPENSSL_VERSION_STR;
}
