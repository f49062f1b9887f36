/*
 * dlopen() and one dlsym() per function. The handle is never closed: libpq installs OpenSSL state
 * that does not survive it, and the process is short.
 */
#define LIBPQ_BARE_NAMES
#include "drivers/postgres/libpq.h"

#include <dlfcn.h>
#include <pthread.h>

struct libpq libpq;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static const char *load_failure;

static void load(void)
{
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);

    if (!library) {
        load_failure = "the PostgreSQL client library libpq.so.5 cannot be loaded";
        return;
    }
/* POSIX lets a data pointer from dlsym() be stored as a function pointer only in this way. */
#define FUNCTION(name)                                                                             \
    *(void **)&libpq.name = dlsym(library, #name);                                                 \
    if (!libpq.name)                                                                               \
        load_failure = "the PostgreSQL client library libpq.so.5 is older than version 14";
    LIBPQ_FUNCTIONS(FUNCTION)
#undef FUNCTION
}

const char *libpq_load(void)
{
    (void)pthread_once(&load_once, load);
    return load_failure;
}
