/* What the files of reconcile*.c share: rows of the history, and how they are found. */
#ifndef CORE_RUN_RECONCILE_PARTS_H
#define CORE_RUN_RECONCILE_PARTS_H

#include "core/run/reconcile.h"

bool row_is_repeatable(const struct history_row *r);
bool row_is_baseline(const struct history_row *r);
bool row_is_incomplete(const struct history_row *r);
bool row_is_rolled_back(const struct history_row *r);

/* The rows that still count: of several rows for one label the newest, sorted for bisection. */
struct row_index {
    const struct history_row **at;
    bool *is_matched;   /* a file has its label */
    bool *keeps_text;   /* and its text, or what still counts as it */
    size_t *matched_by; /* place of that file in the reconciliation */
    bool *is_taken;     /* its text was found under another label */
    size_t count;
    enum version_order order;
};

struct row_index index_rows(struct arena *a, const struct history *h, enum version_order order);
/* Place of the row with the label of a file, or SIZE_MAX; guess: where it is looked for first. */
size_t index_find(const struct row_index *index, const struct migration *m, size_t guess);
/* Order of two labels: versioned ones first, as the layout orders them, then repeatables. */
int compare_labels(enum version_order order, bool a_repeatable, struct str a, bool b_repeatable,
                   struct str b);

#endif
