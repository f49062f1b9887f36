/*
 * What a connected server says of the syntax of a statement that the grammar at hand does not know: the port
 * through which the planner asks, and the answer.
 */
#ifndef CORE_MODEL_SYNTAX_H
#define CORE_MODEL_SYNTAX_H

#include "core/base/arena.h"
#include "core/base/fail.h"
#include "core/base/str.h"

enum syntax_answer {
    SYNTAX_UNKNOWN = 0, /* nobody was asked, or nothing came of it */
    SYNTAX_TAKEN,       /* the server's grammar knows it; whether it can run was not asked */
    SYNTAX_REFUSED,
};

struct syntax_verdict {
    enum syntax_answer answer;
    const char *message; /* SYNTAX_REFUSED: the server's words, in the arena */
    size_t offset;       /* of the error, bytes in the text; SIZE_MAX: not known */
};

struct syntax_judge {
    const char *server; /* "PostgreSQL 18.4" */
    /* Fails only where the connection does. */
    bool (*ask)(void *context, struct arena *a, struct str text, struct syntax_verdict *out,
                struct fail *f);
    void *context;
};

#endif
