/*
 * What the files behind target_url.h share: the reader that carries notes and failures, percent
 * encoding, and one reading function per engine. Nobody else includes this.
 *
 * A rule for all of them: text of which a password could be a part (a URL with an unescaped '/' or
 * '@' in its password is read wrongly at many places) is never repeated in a message, note or
 * `safe`.
 */
#ifndef CORE_MODEL_TARGET_URL_PARTS_H
#define CORE_MODEL_TARGET_URL_PARTS_H

#include "core/base/buf.h"
#include "core/base/vec.h"
#include "core/model/target_url.h"

struct url_reader {
    struct arena *arena;
    struct fail *fail;
    struct target_url *out;
    VEC_OF(const char *) notes;
    bool has_seen_secret; /* a key behind it may be the rest of an unescaped password */
};

/* Fails with EXIT_USAGE; false. */
bool url_refuse(struct url_reader *r, const char *message, const char *hint);
void url_note(struct url_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);
/* Notes that a key was dropped; names it where it cannot be a piece of a password. why: why
   dropped, "which libpq does not know". */
void url_note_dropped(struct url_reader *r, struct str key, const char *why);

/* Decodes %XX. false where a % is not followed by two hexadecimal digits, or by 00 (a failure is
 * set). */
bool url_decode(struct url_reader *r, struct str text, struct str *out) MUST_CHECK;
/* Appends text with everything but letters, digits, bytes above 0x7F and those in `plain` as %XX.
 */
void url_encode(struct buf *out, struct str text, const char *plain);
/* Is there a ':' with an '@' somewhere behind it, as in user:password@host? */
bool url_holds_userinfo(struct str text);

/* rest: behind "postgres:". is_jdbc: `ssl=true` means verify-full, and no host means localhost. */
bool url_read_postgres(struct url_reader *r, struct str rest, bool is_jdbc) MUST_CHECK;
/* Does the text begin with key= , the key being one that libpq or we know? */
bool url_is_conninfo(struct str text);
bool url_read_conninfo(struct url_reader *r, struct str text) MUST_CHECK;
/* rest: behind "sqlite:" or "file:". is_file: by the rules of file URLs. */
bool url_read_sqlite(struct url_reader *r, struct str rest, bool is_file) MUST_CHECK;
/* A path as it is. */
bool url_read_sqlite_path(struct url_reader *r, struct str path) MUST_CHECK;

/*
 * The settings of a PostgreSQL connection, from a URL's query or from key=value text, after
 * translation into what libpq knows.
 */
struct pg_setting {
    struct str key;
    struct str raw; /* the value as it was written: percent-encoded, or quoted */
};
struct pg_settings {
    VEC_OF(struct pg_setting) kept;
    bool is_jdbc;
    bool is_strict;          /* unknown keys are a failure, not a note (key=value text) */
    const char *search_path; /* or NULL */
    const char *sslmode;     /* from sslmode=; or NULL */
    const char *ssl;         /* what ssl= asks for as an sslmode; or NULL */
    bool wants_verified;     /* sslaccept=strict */
    /* Decoded, for `safe`. */
    struct str user, host, port, database, service;
    bool has_password;
};

/* Takes one setting. raw: as written; value: decoded. */
bool pg_settings_take(struct url_reader *r, struct pg_settings *s, struct str key, struct str raw,
                      struct str value) MUST_CHECK;
/* When all are taken: the one sslmode they add up to, as a further kept setting. */
void pg_settings_finish(struct url_reader *r, struct pg_settings *s);
bool pg_settings_knows(struct str key);
/* Sets what is the same for both spellings: engine, search path, `safe`. */
bool pg_settings_describe(struct url_reader *r, const struct pg_settings *s) MUST_CHECK;

#endif
