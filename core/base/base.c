/* The two ways to stop in the middle: no memory, and a mistake of ours. */
#include "core/base/base.h"

#include "core/base/exit.h"

void out_of_memory(void)
{
    fputs("migrate: out of memory\n", stderr);
    _Exit(EXIT_BUG);
}

void bug_at(const char *file, int line, const char *what)
{
    fprintf(stderr,
            "migrate: bug at %s:%d: %s\n"
            "Please report this with the command line and `migrate version`.\n",
            file, line, what);
#ifdef DEBUG
    abort();
#else
    _Exit(EXIT_BUG);
#endif
}
