/*
 * What a plan has to tell, ready to be written down: its findings in one list, each with its place in the
 * file, the line that it is about and a fingerprint that outlives edits elsewhere. Renderers write it as
 * text, Markdown, SARIF, annotations; they decide nothing.
 */
#ifndef CMD_REPORT_H
#define CMD_REPORT_H

#include "core/base/buf.h"
#include "core/model/plan.h"

struct report_finding {
    const struct hazard *hazard;
    const struct planned_migration *migration; /* NULL: about a file that is not planned */
    const struct planned_statement *statement; /* NULL: about the file as a whole */
    struct str path;
    uint32_t line, column;     /* from 1; 1 and 1 for the file as a whole */
    struct str excerpt;        /* that line, as far as the statement goes; "" : none */
    size_t caret;              /* characters in front of the place in the excerpt */
    struct digest fingerprint; /* over rule, file, statement and object, not over lines; once
                                  report_fingerprint() was called */
};

struct report {
    const struct plan *plan;
    const char *base; /* revision that the plan adds to: "origin/main"; NULL: none */
    VEC_OF(struct report_finding) findings;
    size_t blocks, warnings, notes; /* those that stand */
    size_t settled, waived;         /* the others: by an online form, by a reason in the file */
    size_t statements, destructive; /* statements; migrations with a destructive one */
    size_t
        not_judged; /* migrations of which something could not be looked into, and nobody allowed it */
    bool is_refused; /* by the gate */
    bool is_verbose; /* text: the steps of online forms are shown in full */
};

/* In the arena; the plan must outlive it. base: NULL for none. */
struct report report_make(struct arena *a, const struct plan *plan, const char *base);
/* What report_sarif() and report_gitlab() tell findings by: a tenth of a plan's time, so not made for all. */
void report_fingerprint(struct arena *a, struct report *r);
/* "2 findings block, 1 warns, 3 notes", or "no findings". In the arena. */
const char *report_counts(struct arena *a, const struct report *r);
/* "ACCESS EXCLUSIVE on public.orders; rewrites public.orders; builds 2 indexes", at most what fits into a
   line or two; "" where nothing is taken that anybody would notice. In the arena. */
const char *report_effects(struct arena *a, const struct effects *e);
/* What to do about a finding, or which online form settles it; whole sentences. In the arena. */
const char *report_advice(struct arena *a, const struct hazard *h);
/* First line of a statement with blanks folded, at most so many bytes, cut at a character. */
struct str report_short_sql(struct arena *a, struct str sql, size_t longest);

/* One function for each form; appended to out but for text, which goes to the terminal. */
void report_text(struct arena *a, const struct report *r); /* report_text.c */
void report_markdown(struct arena *a, const struct report *r,
                     struct buf *out);                                       /* report_markdown.c */
void report_sarif(struct arena *a, const struct report *r, struct buf *out); /* report_sarif.c */
void report_github(struct arena *a, const struct report *r, struct buf *out); /* report_ci.c */
void report_gitlab(struct arena *a, const struct report *r, struct buf *out);

#endif
