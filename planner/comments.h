/*
 * Directives in the comments of a script, on their way to the statement that they stand in front of. Both
 * dialects hand in each comment line as their lexer meets it.
 */
#ifndef PLANNER_COMMENTS_H
#define PLANNER_COMMENTS_H

#include "core/model/dialect.h"

/* Whether a comment may hold a directive: cheap, asked of every one. */
bool comment_may_direct(struct str comment);
/* Reads one comment of the window into out; what is no directive adds nothing. line, column: of its first
   byte, in the file. Fails (EXIT_USAGE, with the place) on malformed directives, and on `allow` of a hazard
   that there is not. */
bool comment_read(struct arena *a, const struct cut_request *request, struct str comment,
                  uint32_t line, uint32_t column, struct directives *out, struct fail *f)
    MUST_CHECK;

#endif
