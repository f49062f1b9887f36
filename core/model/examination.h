/*
 * What a driver sees when it looks over a database, as plain values: `migrate doctor` judges them
 * (core/run/doctor.h). Only what is worth a word is there: a check without sightings found nothing.
 */
#ifndef CORE_MODEL_EXAMINATION_H
#define CORE_MODEL_EXAMINATION_H

#include "core/base/base.h"

/* In the order in which they are told. What the fields of a sighting hold stands behind each; those that
   are not named are "". */
enum check {
    CHECK_SERVER = 0, /* subject: version; state: "primary", "standby" */
    CHECK_POOLER,     /* told by struct driver's check_session */
    CHECK_RIGHTS,     /* subject: a right that is missing; owner: on what; text: how to give it */
    CHECK_OWNERSHIP, /* subject: a table that is not ours; owner: role; name: bare name of the table */
    CHECK_SETTINGS, /* subject: name; text: value; state: source; number: milliseconds of a time */
    CHECK_TRANSACTIONS, /* subject: process, or name of a prepared one; owner: who; state; text: statement;
                           number: microseconds that it is open. state "unseen": number others are hidden */
    CHECK_INDEXES, /* subject: quoted name; owner: table; state: "invalid", "not ready", "dropped",
                      "being built"; text: how to drop it; number: OID; schema, name, table: bare */
    CHECK_CONSTRAINTS, /* subject: quoted name; owner: table; state: kind; text: how to validate it; name */
    CHECK_PARTITIONS, /* subject: partition; owner: parent; text: how to finish its detachment */
    CHECK_SEQUENCES, /* subject: sequence; owner: column; state: type; text: "last of limit"; number: ‰ */
    CHECK_WRAPAROUND, /* subject: database; owner: oldest table; state: "transactions", "multixacts";
                           number: age */
    CHECK_HISTORY,    /* told by core/run/verify.h */
    CHECK_MIGRATIONS,   /* told by the rows of the history */
    CHECK_RUN_LOCK,     /* subject: who holds it; text: what that does */
    CHECK_FILE,         /* subject: path; state: why it cannot be written */
    CHECK_JOURNAL,      /* subject: journal mode; number: bytes of the write-ahead log */
    CHECK_FOREIGN_KEYS, /* subject: table; owner: parent; number: rows without one */
    CHECK_INTEGRITY,    /* subject: what is wrong */
    CHECK_LEFTOVERS,    /* subject: table; owner: the one it seems to be a copy of */
    CHECK_COUNT,
};
const char *check_name(enum check c); /* "run lock" */

struct sighting {
    enum check check;
    const char *subject, *owner, *state, *text;
    int64_t number;
    const char *schema, *name, *table; /* bare */
    bool is_only_of_name; /* CHECK_INDEXES: no relation of another schema has that name */
};
struct examination {
    struct sighting *at;
    size_t count, room;
    bool is_made[CHECK_COUNT];       /* this engine has such a check, */
    const char *missed[CHECK_COUNT]; /* and it could not be made, for this reason; NULL: it was */
};

#endif
