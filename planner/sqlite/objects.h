/*
 * The objects of the scratch database, as they are now and as they were: tables with their columns, indexes,
 * views, triggers. Read from SQLite's own schema table behind each statement that changes it. An object does
 * not change once it is made; what it becomes is another one, with the same relation.
 */
#ifndef PLANNER_SQLITE_OBJECTS_H
#define PLANNER_SQLITE_OBJECTS_H

#include "core/model/catalog.h"
#include "planner/sqlite/scratch.h"

enum object_kind { OBJECT_TABLE = 1, OBJECT_INDEX, OBJECT_VIEW, OBJECT_TRIGGER };

struct sqlite_column {
    struct str name;
    struct str type;          /* as declared */
    struct str default_value; /* as written */
    bool is_not_null;
    bool is_virtual; /* generated, not stored */
    bool is_generated;
    unsigned key; /* place in the PRIMARY KEY, from 1; 0: none */
};

struct sqlite_object {
    enum object_kind kind;
    struct str name;
    struct str table; /* of indexes and triggers; of a table its own name */
    struct str sql;   /* "" : made by SQLite for a UNIQUE or PRIMARY KEY */
    int64_t root;     /* 0: none */
    bool is_temporary;
    VEC_OF(struct sqlite_column) columns;
    struct catalog_relation *relation; /* NULL: a trigger */
    const struct sqlite_object *owner; /* the table of an index or trigger; NULL: not found */
    bool is_unique;                    /* indexes */
    bool is_partial;
    struct str keys;        /* indexes: names of the columns, with commas; expressions as ? */
    bool is_module;         /* a virtual table */
    bool is_part_of_module; /* a table that a virtual table keeps */
    bool is_autoincrement;
    bool is_without_rowid;
    bool is_strict;
    bool has_rowid_alias; /* an INTEGER PRIMARY KEY */
    uint32_t line;        /* of the statement in its file that made it; 0: not known */
    bool was_renamed;     /* since it was made */
    bool is_made_up;      /* by us: it is older than all that is known */
    const struct sqlite_object *before; /* what it was before the last change; NULL: it is new */
};

/* The schema at a time. A value: the objects stay. */
struct sqlite_objects {
    struct sqlite_object **at;
    size_t count, room;
};

/* Reads the schema. old: as it was, whose relations stay with their objects. made_up: what is new now is not
   the plan's doing. */
struct sqlite_objects objects_read(struct arena *a, struct sqlite_scratch *s,
                                   const struct catalog *catalog, const struct sqlite_objects *old,
                                   bool is_made_up);
/* Names are compared as SQLite does it. NULL: there is none. */
struct sqlite_object *objects_find(const struct sqlite_objects *list, enum object_kind kind,
                                   struct str name);
/* A table or a view. */
struct sqlite_object *objects_find_relation(const struct sqlite_objects *list, struct str name);
/* By the page where its tree begins. */
struct sqlite_object *objects_find_root(const struct sqlite_objects *list, int64_t root,
                                        bool is_temporary);
/* What became of an object of an earlier list; NULL: it is gone. */
struct sqlite_object *objects_successor(const struct sqlite_objects *list,
                                        const struct sqlite_object *old);
const struct sqlite_column *object_column(const struct sqlite_object *o, struct str name);

#endif
