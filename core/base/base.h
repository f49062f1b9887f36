/*
 * The words every file uses: attributes, array length, scope-bound clean-up, and BUG().
 * Nothing here knows the domain, allocates or prints.
 */
#ifndef CORE_BASE_BASE_H
#define CORE_BASE_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/banned.h"

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))
/* printf-like: argument number of the format, and of the first value. */
#define PRINTF_LIKE(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* gcc and clang tell of the address sanitizer in different ways. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZES_ADDRESS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZES_ADDRESS)
#define SANITIZES_ADDRESS 1
#endif

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A local that owns a foreign handle: SCOPED(file) *f = fopen(...);
 * DEFINE_SCOPED(file, FILE *, fclose) says once how it is let go; NULL is never passed on.
 */
#define DEFINE_SCOPED(name, pointer_type, release)                                                 \
    static inline void scoped_release_##name(pointer_type *owned)                                  \
    {                                                                                              \
        if (*owned)                                                                                \
            release(*owned);                                                                       \
    }
#define SCOPED(name) __attribute__((cleanup(scoped_release_##name)))

/* malloc gave nothing: says so and exits 70, as no other code is true of a target in mid-change. */
NORETURN void out_of_memory(void);
/* A mistake of ours: prints file and line, asks for a report, exits 70 (a debug build aborts). */
NORETURN void bug_at(const char *file, int line, const char *what);
#define BUG(what) bug_at(__FILE__, __LINE__, what)

#endif
