/*
 * Whether the text of a statement, or a function, uses a name that is about to go: for what a database has
 * counted and kept (core/model/usage.h). Without a catalog: names are compared, and who owns one that stands
 * alone is not asked. What cannot be read counts as using what it mentions.
 */
#ifndef PLANNER_POSTGRES_MENTIONS_H
#define PLANNER_POSTGRES_MENTIONS_H

#include "core/base/arena.h"
#include "core/model/usage.h"

enum mention {
    MENTION_NONE = 0,
    MENTION_CERTAIN,
    MENTION_POSSIBLE, /* the words are there, and more cannot be told */
};

/* What pg_dump, VACUUM and migrate itself do by way of the catalog is none: they take what they find. */
enum mention postgres_mention(struct arena *a, struct str text, const struct retired_name *name);
enum mention postgres_mention_in_function(struct arena *a, const struct seen_function *f,
                                          const struct retired_name *name);
/* A counted statement as it may be shown, on one line: without any value. In the arena. */
const char *postgres_mention_shown(struct arena *a, struct str text);

#endif
