/*
 * What went wrong, travelling up the stack as the last parameter. The function that detects it
 * fills it; callers may add a context line (fail_wrap) but never replace it; only cmd/main.c prints
 * it. Wording follows the PostgreSQL error style guide: message lower-case, one line, no full stop;
 * detail and hint are sentences. Every failure a user can cause has a hint.
 */
#ifndef CORE_BASE_FAIL_H
#define CORE_BASE_FAIL_H

#include "core/base/arena.h"
#include "core/base/base.h"
#include "core/base/exit.h"
#include "core/base/str.h"

/* What kind of failure, beyond its exit code: the few things code decides on. */
enum fail_kind {
    FAIL_OTHER = 0,
    FAIL_SERVER,         /* the database refused a statement; sqlstate is set where there is one */
    FAIL_LOCK_TIMEOUT,   /* 55P03, or SQLITE_BUSY */
    FAIL_TABLES_HELD,    /* 55P03 in front of a unit: nothing of it was sent */
    FAIL_DEADLOCK,       /* 40P01, 40001 */
    FAIL_CONNECTION,     /* connection lost or refused; nothing was being committed */
    FAIL_COMMIT_UNKNOWN, /* connection lost while COMMIT was under way */
    FAIL_CANCELLED,      /* a signal, or 57014 */
    FAIL_HISTORY_MOVED,  /* somebody else wrote the history since it was read */
    FAIL_NOT_FOUND,      /* a file or key is not there */
};

struct fail {
    struct arena *arena; /* owns the texts; made at first use */
    enum exit_code code; /* EXIT_DONE: no failure yet */
    enum fail_kind kind;
    const char *message; /* one line */
    const char *detail;  /* or NULL */
    const char *hint;    /* or NULL */
    const char *context; /* lines "while …", innermost first, or NULL */
    const char *file;    /* where, or NULL */
    uint32_t line;       /* 1-based; 0: not known */
    uint32_t column;     /* 1-based, in characters; 0: not known */
    const char *excerpt; /* the source line, for the caret, or NULL */
    char sqlstate[6];    /* "" where there is none */
};

#define FAIL_NONE ((struct fail){0})
/* Releases its texts and makes it FAIL_NONE again. */
void fail_clear(struct fail *f);
static inline void scoped_release_fail(struct fail *f)
{
    fail_clear(f);
}
bool fail_is_set(const struct fail *f);

/* Fills an empty failure and returns false, so that `return fail_set(…)` is one line. A failure
   already set keeps its message. */
bool fail_set(struct fail *f, enum exit_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, from errno: appends ": " and the system's words. */
bool fail_errno(struct fail *f, enum exit_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Add to a failure that is set; each returns false. */
bool fail_detail(struct fail *f, const char *format, ...) PRINTF_LIKE(2, 3);
bool fail_hint(struct fail *f, const char *format, ...) PRINTF_LIKE(2, 3);
bool fail_wrap(struct fail *f, const char *format, ...) PRINTF_LIKE(2, 3);
/* Where it is. column in characters; excerpt is the source line without its end (may be empty). */
bool fail_at(struct fail *f, struct str file, uint32_t line, uint32_t column, struct str excerpt);
bool fail_kind_set(struct fail *f, enum fail_kind kind);
/* A copy that lives in the arena a. */
struct fail fail_copy(struct arena *a, const struct fail *f);

#endif
