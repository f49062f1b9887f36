/*
 * A rule about what can go wrong, and a rule's finding. Rules are rows (planner/rules.h); ids are
 * permanent: they stand in policies, waivers and dashboards.
 *
 * A level is proposed by the rule, lowered by exemptions that the catalog proves, set by policy, and
 * lowered to a note by a waiver with a reason.
 */
#ifndef CORE_MODEL_HAZARD_H
#define CORE_MODEL_HAZARD_H

#include "core/base/json.h"
#include "core/model/engine.h"

enum hazard_level {
    HAZARD_OFF = 0, /* not reported unless configured (profile strict reports it as a note) */
    HAZARD_NOTE,
    HAZARD_WARN,
    HAZARD_BLOCK, /* the gate refuses until rewritten or waived with a reason */
};
/* "off", "note", "warn", "block": as policy and JSON spell it. Static. */
const char *hazard_level_name(enum hazard_level level);
bool hazard_level_of_name(struct str name, enum hazard_level *out);

/* What lowers a finding. Never for data loss or compatibility. */
enum hazard_exemption {
    EXEMPT_NEVER = 0,
    EXEMPT_NEW = 1,   /* its object was made in the same migration */
    EXEMPT_EMPTY = 2, /* its table is certainly empty */
    EXEMPT_SMALL = 4, /* its table is certainly small (HAZARD_SMALL_ROWS): one level lower */
};
#define HAZARD_SMALL_ROWS 10000.0

/* The texts of a rule: what `migrate explain` and docs/hazards.md print. */
struct hazard_rule {
    const char *id; /* kebab-case */
    enum hazard_level level;
    enum engine engine;
    unsigned exemptions;   /* of enum hazard_exemption */
    uint32_t since, until; /* major versions, inclusive; 0: no bound */
    const char *title;     /* "adding a column with a volatile default rewrites the table" */
    const char *why;       /* what happens, with versions; whole sentences */
    const char *fix;       /* what to do instead; whole sentences */
    const char *example;   /* SQL that is flagged */
    const char *safe;      /* SQL that does it without harm; NULL: there is none */
    const char *sources;   /* documentation pages, source functions; ids in truth/ */
};

/* A finding about one statement. */
struct hazard {
    const struct hazard_rule *rule;
    enum hazard_level level; /* after exemptions, policy and waivers */
    const char *message; /* with names: "public.orders is rewritten under ACCESS EXCLUSIVE: …" */
    const char *fix;     /* for this very statement, or the rule's */
    const char *exempted_by; /* why the level is lower than the rule's; NULL: it is not */
    const char *settled_by;  /* the recipe of the online form that does not do it; NULL: nothing */
    const char *waiver;      /* the reason given in the file; NULL: not waived */
    uint32_t waiver_line;
    struct str relation;   /* what it is about; "" : nothing of the kind */
    uint32_t line;         /* in the file: of the statement, or what it is about */
    uint64_t offset_bytes; /* in the statement's text, for the caret; 0: its beginning */
};

/* What is left of it when the statement runs in its online form: level, or a note where that settles it. */
enum hazard_level hazard_level_left(const struct hazard *h);

struct hazards {
    struct hazard *at;
    size_t count, room;
};

struct json *hazard_json(const struct hazard *h);

#endif
