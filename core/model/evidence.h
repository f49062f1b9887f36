/*
 * Evidence: what a rehearsal of one plan measured on a copy, judged by the policy, as JSON with a
 * signature (docs/rehearsal.md). It speaks of the plan with this digest and of no other.
 */
#ifndef CORE_MODEL_EVIDENCE_H
#define CORE_MODEL_EVIDENCE_H

#include "core/base/json.h"
#include "core/model/plan.h"
#include "core/model/rehearsal.h"

#define EVIDENCE_FORMAT 1

/* Budgets of the policy; 0: none. */
struct evidence_limits {
    int64_t blocked_ms;     /* longest wait of a statement of the application */
    int64_t strong_lock_ms; /* longest time that a lock in the way of reads or writes is held */
    int64_t duration_ms;    /* of the whole plan */
};

/* Longest wait of one class of statements for one table during a step. */
struct evidence_wait {
    struct str relation;
    enum traffic class;
    int64_t longest_us, total_us;
    int64_t count;
};
struct evidence_lock {
    struct str relation;
    enum lock_mode mode;
    int64_t held_us;
};
struct evidence_step {
    struct str migration;   /* version or script */
    uint32_t unit;          /* its number in the migration, from 1 */
    uint32_t line;          /* in the file; 0: not known */
    const char *phase;      /* of an online form; NULL: as written */
    struct str sql;         /* the beginning of it */
    int64_t from_us, to_us; /* monotonic */
    int64_t tries;
    bool is_over; /* a budget, as evidence_judge() found */
    int64_t rows; /* -1: not known */
    int64_t wal_bytes, temporary_bytes, growth_bytes;
    struct {
        struct str *at;
        size_t count, room;
    } rewritten; /* tables with another file than before */
    struct {
        struct evidence_lock *at;
        size_t count, room;
    } locks;
    struct {
        struct evidence_wait *at;
        size_t count, room;
    } waits;
};

struct evidence {
    const char *tool; /* "migrate 0.1.0" */
    struct digest plan;
    const char *target; /* without password */
    const struct copy *copy;
    const char *server; /* version of the copy's */
    int64_t started_us; /* wall clock */
    int64_t duration_us;
    struct evidence_limits limits;
    struct {
        struct evidence_step *at;
        size_t count, room;
    } steps;
    const struct observed *seen;
    const struct fail *failure; /* that ended the plan; NULL: it ran to its end */
    size_t waiting;             /* steps that wait for `migrate contract`, and were not rehearsed */
    enum verdict verdict;
    struct {
        const char **at; /* sentences: why it is no pass */
        size_t count, room;
    } reasons;
};

/* What was seen, put to the steps by the time at which it was. In the arena. */
void evidence_attribute(struct arena *a, struct evidence *e);
/* Fills verdict and reasons. */
void evidence_judge(struct arena *a, struct evidence *e);
struct json *evidence_json(const struct evidence *e);
/* The same as text for people, with its signature where key is not "":
   HMAC-SHA-256 over the text of the object without "signature", on one line as json_line() writes it. */
void evidence_print(struct buf *out, const struct evidence *e, struct str key);

#endif
