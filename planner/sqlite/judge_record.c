/*
 * Statements that would write to the record which migrate keeps of itself, told from the words in front of
 * the table's name: apply has no schema at hand with which SQLite could prepare them.
 */
#include "planner/sqlite/cut.h"
#include "planner/sqlite/judge.h"

/* The last words in front of a name, newest first; without what is between database and table. */
struct behind {
    struct str at[2];
};

static bool is_word(struct str word, const char *what)
{
    return str_equal_nocase(word, str_of(what));
}

/* INSERT and REPLACE INTO t; UPDATE [OR …] t; DELETE FROM t; ALTER, DROP TABLE [IF EXISTS] t; CREATE
   TRIGGER … ON t. CREATE TABLE IF NOT EXISTS t changes nothing, CREATE INDEX … ON t no row. */
static bool is_written(const struct statement *s, const struct behind *b)
{
    bool is_create = str_starts_nocase(s->text, STR("create"));
    bool is_trigger = str_equal(str_of(s->kind), STR("CREATE TRIGGER"));
    struct str last = b->at[0];
    struct str before = b->at[1];
    return is_word(last, "into") || is_word(last, "update") || is_word(before, "or") ||
           (is_word(last, "from") && is_word(before, "delete")) ||
           (is_word(last, "on") && is_trigger) || (is_word(last, "table") && !is_create) ||
           (is_word(last, "exists") && is_word(before, "if"));
}

static bool is_own_table(struct str name, struct str prefix)
{
    static const char *const tables[] = {"_history", "_event", "_lock", "_backfill"};
    if (!str_starts_nocase(name, prefix))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        if (is_word(str_skip(name, prefix.len), tables[i]))
            return true;
    }
    return false;
}

static struct str unquoted(struct str token, enum sqlite_token_kind kind)
{
    bool is_quoted = kind == SQLITE_TOKEN_QUOTED && token.len >= 2;
    return is_quoted ? (struct str){token.at + 1, token.len - 2} : token;
}

void sqlite_judge_record(struct arena *a, struct statement *s, const struct cut_record *record)
{
    struct behind b = {0};
    if (!record || str_find_nocase(s->text, record->name) == SIZE_MAX)
        return;
    for (struct str text = s->text; text.len;) {
        enum sqlite_token_kind kind;
        size_t len = sqlite_token(text, &kind);
        struct str token = unquoted((struct str){text.at, len}, kind);
        text = str_skip(text, len);
        if (kind == SQLITE_TOKEN_BLANK)
            continue;
        if (is_own_table(token, record->name) && is_written(s, &b)) {
            statement_refuse_record(a, s, arena_printf(a, "%.*s", STR_ARG(token)));
            return;
        }
        bool is_main = is_word(token, "main") || str_equal(token, STR("."));
        if (!is_main)
            b = (struct behind){{token, b.at[0]}};
    }
}
