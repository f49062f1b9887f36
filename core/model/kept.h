/*
 * A script that was cut into statements once and is kept as it is: plan and run of many small files then
 * read and parse each of them once. Only where all of it lay in one window, without COPY data.
 */
#ifndef CORE_MODEL_KEPT_H
#define CORE_MODEL_KEPT_H

#include "core/model/script.h"

struct kept_script {
    struct str window; /* the executed text; the statements' texts are slices of it */
    struct script_batch batch;
    struct digest raw; /* of the file; set by who has read it to its end */
};

/* A copy in the arena of the first batch of a script; NULL where that is not all of it, or takes more than
   max_bytes. *out_bytes: what it takes. */
struct kept_script *kept_make(struct arena *a, const struct script *s,
                              const struct script_batch *batch, size_t max_bytes,
                              size_t *out_bytes);

/* Of statements in the order in which they are sent: some are slices of the window, others stand in the
   place of one. */
struct kept_script *kept_make_of(struct arena *a, struct str window, const struct statement *at,
                                 size_t count);

#endif
