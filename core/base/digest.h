/*
 * SHA-256, for checksums, plan digests and the event chain. The only file that knows libcrypto.
 */
#ifndef CORE_BASE_DIGEST_H
#define CORE_BASE_DIGEST_H

#include "core/base/arena.h"
#include "core/base/str.h"

#define DIGEST_HEX_LEN 64

struct digest {
    char hex[DIGEST_HEX_LEN + 1]; /* lower case; "" is "no digest" */
};

struct digest_stream; /* malloc'ed; digest_finish() or digest_abandon() frees it */
struct digest_stream *digest_start(void);
void digest_add(struct digest_stream *d, struct str bytes);
struct digest digest_finish(struct digest_stream *d);
void digest_abandon(struct digest_stream *d); /* NULL is fine */

struct digest digest_of(struct str bytes);
/* HMAC-SHA-256 (RFC 2104): who has the key says so of these bytes. */
struct digest digest_hmac(struct str key, struct str bytes);
bool digest_equal(const struct digest *a, const struct digest *b);
bool digest_is_set(const struct digest *d);
struct str digest_str(const struct digest *d);
/* Accepts 64 lower-case hex digits only. */
bool digest_parse(struct str hex, struct digest *out) MUST_CHECK;
/* 16 random bytes as 32 hex digits, in the arena: run ids. */
char *digest_random_id(struct arena *a);

#endif
