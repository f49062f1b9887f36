/*
 * Where the trees of libpg_query differ between its versions (15 of Debian 12, 17 of Debian 13), said once.
 * Members that only one of them has are not used elsewhere.
 */
#ifndef PLANNER_POSTGRES_GRAMMAR_COMPAT_H
#define PLANNER_POSTGRES_GRAMMAR_COMPAT_H

#include "core/base/arena.h"
#include "core/base/text.h"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

/* "15", of the grammar that is linked. */
#define GRAMMAR_VERSION_TEXT PG_MAJORVERSION
#define GRAMMAR_TREE_KIND "pg" PG_MAJORVERSION

/* Brings a fresh tree of the text, in our arena, into the form that grammar.h describes. */
void grammar_settle(struct arena *a, struct str text, PgQuery__ParseResult *root);

/* 'l', 'r', 'h' of PARTITION BY; 0: none of them. */
static inline char grammar_partition_strategy(const PgQuery__PartitionSpec *spec)
{
#if PG_VERSION_NUM >= 160000
    switch (spec->strategy) {
    case PG_QUERY__PARTITION_STRATEGY__PARTITION_STRATEGY_LIST:
        return 'l';
    case PG_QUERY__PARTITION_STRATEGY__PARTITION_STRATEGY_RANGE:
        return 'r';
    case PG_QUERY__PARTITION_STRATEGY__PARTITION_STRATEGY_HASH:
        return 'h';
    default:
        return 0;
    }
#else
    return char_lower(spec->strategy[0]);
#endif
}

#endif
