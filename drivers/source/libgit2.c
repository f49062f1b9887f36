/*
 * dlopen() and one dlsym() per function. The library's soname holds its minor version, and its
 * structs change with that: only the version of the headers we were built with will do.
 */
#include "drivers/source/libgit2.h"

#include <dlfcn.h>
#include <pthread.h>

#define LIBRARY_NAME "libgit2.so." LIBGIT2_SOVERSION

struct libgit2 libgit2;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;
static const char *load_failure;

static void load(void)
{
    void *library = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        load_failure = LIBRARY_NAME " is not installed, so git cannot be asked";
        return;
    }
/* POSIX lets a data pointer from dlsym() be stored as a function pointer only in this way. */
#define FUNCTION(name)                                                                             \
    *(void **)&libgit2.name = dlsym(library, #name);                                               \
    if (!libgit2.name)                                                                             \
        load_failure = LIBRARY_NAME " has no " #name "(), so git cannot be asked";
    LIBGIT2_FUNCTIONS(FUNCTION)
#undef FUNCTION
    if (load_failure)
        return;
    if (libgit2.git_libgit2_init() < 0) {
        load_failure = LIBRARY_NAME " cannot be initialised, so git cannot be asked";
        return;
    }
    /* Pipelines often run as another user than the one who checked out. git refuses such
       repositories because their configuration may name programs to run; libgit2 runs none, and we
       only read. */
    (void)libgit2.git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

const char *libgit2_load(void)
{
    (void)pthread_once(&load_once, load);
    return load_failure;
}
