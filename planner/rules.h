/*
 * The engine of the rules: rows of both planners in one registry, run over a statement and its effects;
 * exemptions, policy and waivers; findings in a fixed order. What a rule looks for is in
 * planner/<engine>/rules_<subject>.c; what it says stands in the same row.
 */
#ifndef PLANNER_RULES_H
#define PLANNER_RULES_H

#include "planner/analysis.h"

/* A lock that the open transaction took before this statement on a relation older than the file. */
struct held_lock {
    struct str relation;
    const struct catalog_relation *object;
    enum relation_kind kind; /* UNKNOWN: a name that the catalog does not have */
    enum lock_mode mode;
    size_t statement; /* number in the file, from 0 */
    uint32_t line;
};

/* What the file has done so far. Kept by planner/<engine>/analysis.c; read by rules. */
struct file_so_far {
    struct str path;
    bool is_in_transaction;  /* ours or the file's */
    bool is_own_transaction; /* the file's BEGIN */
    bool is_each_alone;      /* no-transaction: each statement commits by itself */
    bool has_alone;          /* a statement outside a transaction was seen */
    bool has_transactional;  /* one inside was seen */
    size_t statements;       /* so far, without this one */
    struct {
        struct held_lock *at;
        size_t count, room;
    } held;      /* emptied when the transaction ends */
    void *notes; /* the engine's own: dropped names, NOT VALID constraints, … */
};

/* One call of a rule's check. */
struct rule_subject {
    struct arena *a; /* of the findings */
    const struct statement *statement;
    const void
        *tree; /* PgQuery__Node, or NULL; a part of the statement where a check goes into one */
    struct catalog *catalog; /* as it was before the statement; SQLite: without relations */
    const struct effects *effects;
    struct file_so_far *file;
    unsigned major;           /* of the server; SQLite: 3040 for 3.40 */
    const void *engine_state; /* SQLite: struct sqlite_analysis */
    const struct hazard_policy *policy;
    const struct rule_choice *choice; /* of rules_choose(); NULL: each is asked whether it counts */
    void *memo;                       /* PostgreSQL: struct rule_memo */
    const struct rule_row *row;       /* whose check is called */
    struct hazards *out;
};

typedef void rule_check(struct rule_subject *s);

struct rule_row {
    struct hazard_rule rule;
    rule_check *check;     /* NULL: reported by the planner itself (opaque-statement) */
    rule_check *check_end; /* at the end of a file; or NULL. statement is NULL then */
    unsigned node;         /* PostgreSQL: the kind of statement that it looks at; 0: all */
};

/* The tables behind the registry; each is a static array in its file. */
struct rule_table {
    const struct rule_row *rows;
    size_t count;
};

/* Sorted by id, each once: of one that both engines know, PostgreSQL's text. Made once. Safe from any
   thread. */
const struct hazard_rule *const *hazard_rules(size_t *out_count);
const struct hazard_rule *hazard_rule_find(struct str id);
/* What it says of this engine; NULL: nothing. */
const struct hazard_rule *hazard_rule_of(struct str id, enum engine engine);
/* The id most like this word, for "did you mean"; NULL: none is. */
const char *hazard_rule_like(struct str word);

/* Whether it tells of what could not be looked into: who allows it takes the verdict "unknown" away. */
bool rule_is_about_the_unknown(const char *id);

/* What policy and profile make of a rule's level; policy may be NULL. */
enum hazard_level rules_policy_level(const struct hazard_policy *policy, const char *id,
                                     enum hazard_level level);

/* The rules of an engine that count for this version and policy, so that they need not be asked for each
   statement. In the arena. */
const struct rule_choice *rules_choose(struct arena *a, enum engine engine, unsigned major,
                                       const struct hazard_policy *policy);

/* Runs all rules of an engine over a statement, or over the end of a file (statement NULL). */
void rules_check(enum engine engine, struct rule_subject *s);

/* Reports a finding of the row under check. relation: what it is about, for exemptions and people; or
   NULL. Level: the rule's, lowered by its exemptions, then the policy's word. */
void rule_report(struct rule_subject *s, const struct catalog_relation *relation,
                 const char *format, ...) PRINTF_LIKE(3, 4);
/* The same with a name where there is no object, a place in the statement (bytes), and a fix of its own;
   each may be empty (0, NULL). */
struct rule_finding {
    const struct catalog_relation *relation;
    struct str name;
    uint64_t offset_bytes;
    const char *fix;
    uint32_t line; /* 0: the statement's */
};
void rule_report_at(struct rule_subject *s, const struct rule_finding *what, const char *format,
                    ...) PRINTF_LIKE(3, 4);

/* Made by the migration that is looked at; where the catalog is that of the target itself, or was given with
   the plan, also by an earlier one of the plan: nobody else can use it yet. NULL: it was not. */
bool rules_is_new(const struct catalog *c, const struct catalog_relation *r);

/* ---- waivers: -- migrate: allow <hazard> reason="…" ---- */

struct waiver {
    struct str hazard;
    struct str reason;
    uint32_t line;
    size_t statement; /* number in the file that it stands in front of; SIZE_MAX: the whole file */
    uint32_t statement_line;
    bool is_used;
};
struct waivers {
    struct waiver *at;
    size_t count, room;
};
/* Those in front of the statement of this number; what stands in front of the first one is for the whole
   file. Texts are copied. */
void waivers_add(struct arena *a, struct waivers *w, const struct statement *s, size_t number);
/* Behind the last statement: they hit nothing. */
void waivers_add_behind(struct arena *a, struct waivers *w, const struct directives *behind);
/* Turns findings that a waiver names into notes and marks the waiver as used. statement: its number in
   the file; SIZE_MAX: the findings are about the file, and waived by their lines, too. */
void waivers_apply(struct waivers *w, size_t statement, struct hazards *findings);
/* The same for a finding about the file itself, wherever in the file it is allowed: the file is what it is
   about. */
void waivers_apply_file(struct waivers *w, struct hazard *h);
/* Where files were compared with nothing nobody knows whether these would hit: they count as used. */
void waivers_leave_files(struct waivers *w);
/* The finding unused-suppression for each that hit nothing. */
void waivers_report_unused(struct arena *a, const struct waivers *w,
                           const struct hazard_policy *policy, struct hazards *out);

#endif
