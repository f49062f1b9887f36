/*
 * Who still uses what the contract of an expanded migration takes away: statements that were counted,
 * functions, what is made of it, and when it was last written to. Shown by status; `contract` refuses
 * while somebody does.
 *
 * Counts have no time of their own. So the history keeps what was counted when the migration was
 * expanded, and again when a contract was refused or passed it over (EVENT_COUNTED): what has grown
 * since counts as use. The newest count that is at least as old as the soak is the one to compare with.
 */
#ifndef CMD_USAGE_H
#define CMD_USAGE_H

#include "cmd/phases.h"
#include "core/run/journal.h"

struct used_by_statement {
    struct str id;
    const char *shown;   /* its text, without values */
    int64_t calls;       /* since then */
    int64_t calls_total; /* that were counted */
    bool is_possible;    /* it could not be read */
};

struct phase_usage {
    bool is_asked;       /* something of it can be used by name, and the driver can tell */
    const char *unknown; /* why statements are not known; NULL: they are */
    int64_t hidden;      /* statements of others, whose text this role may not read */
    struct str counted_since;
    const char *since; /* the count that this one is compared with: its time; NULL: there is none */
    struct {
        struct used_by_statement *at;
        size_t count, room;
    } statements; /* all that have the name; calls 0: not since then */
    struct {
        const char **at;
        size_t count, room;
    } functions; /* "app.total(integer)", "app.run() (perhaps)" */
    struct {
        struct str *at;
        size_t count, room;
    } dependents, known; /* now, and when the migration was expanded */
    bool has_count;      /* of this migration since it is expanded */
    int64_t counted_us;  /* when the newest one was made */
    bool is_contracting; /* steps of the contract are done: there is no other way */
};

/* Looks for all of them, and has the soak begin anew with the last write by an old name. Nothing is
   written. */
bool usage_look(struct session *s, struct open_phases *phases, struct fail *f) MUST_CHECK;
bool usage_is_found(const struct phase_usage *u);
/* Keeps what was counted, where something can be, and the last count is not a moment old. */
bool usage_keep(struct session *s, const struct open_phases *phases, struct fail *f) MUST_CHECK;
/* Sets f: EXIT_REFUSED. */
bool usage_refuse(const struct session *s, const struct open_phase *p, struct fail *f);
/* What could not be looked at, where something is contracted all the same: a warning. */
void usage_warn(struct arena *a, const struct open_phase *p);
void usage_print(struct arena *a, const struct open_phase *p);
void usage_set(struct json *phase, const struct open_phase *p);

#endif
