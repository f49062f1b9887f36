/*
 * Makes the output of a program comparable between runs and machines: times, durations, ids, digests
 * and paths are replaced by words.
 */
#ifndef DRIVERS_TESTKIT_NORMALISE_H
#define DRIVERS_TESTKIT_NORMALISE_H

#include "core/base/buf.h"

/* Replaces every match of a POSIX extended regular expression in b; \1 in the replacement is its
   first group. Anchors match at lines. */
void normalise_pattern(struct buf *b, const char *pattern, const char *replacement);
/* Replaces every occurrence of a text; an empty one is left alone. */
void normalise_text(struct buf *b, const char *text, const char *replacement);
/* Times → "YYYY-MM-DD hh:mm:ss", durations → "N ms", run ids → RUN, digests → DIGEST, versions of
   libraries and of migrate → VERSION, host and user name → HOST, USER. */
void normalise_common(struct buf *b);
/* Runs of blanks become two, blanks at line ends none: what is left of a table when its cells had
   other widths. */
void normalise_blanks(struct buf *b);

#endif
