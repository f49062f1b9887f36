/*
 * Facts of https://www.sqlite.org/lang_transaction.html, lang_vacuum.html and pragma.html; each is tried
 * on SQLite itself by cut_test.c.
 */
#include "planner/sqlite/judge.h"

#include "planner/sqlite/cut.h"

/* The first tokens of a statement that are no blanks; names without their quotes. */
struct words {
    struct str at[12];
    size_t count;
};

static struct str unquoted(struct str token, enum sqlite_token_kind kind)
{
    bool is_quoted = kind == SQLITE_TOKEN_QUOTED && token.len >= 2;
    return is_quoted ? (struct str){token.at + 1, token.len - 2} : token;
}

static struct words first_words(struct str text)
{
    struct words w = {0};
    while (text.len && w.count < ARRAY_LEN(w.at)) {
        enum sqlite_token_kind kind;
        size_t len = sqlite_token(text, &kind);
        if (kind != SQLITE_TOKEN_BLANK)
            w.at[w.count++] = unquoted((struct str){text.at, len}, kind);
        text = str_skip(text, len);
    }
    return w;
}

static bool word_is(const struct words *w, size_t at, const char *word)
{
    return at < w->count && str_equal_nocase(w->at[at], str_of(word));
}

static bool is_temp(const struct words *w, size_t at)
{
    return word_is(w, at, "temp") || word_is(w, at, "temporary");
}

bool sqlite_starts_trigger(struct str text)
{
    struct words w = first_words(text);
    return word_is(&w, 0, "create") && word_is(&w, is_temp(&w, 1) ? 2 : 1, "trigger");
}

static const struct probe rerun = {.kind = PROBE_RERUN, .schema = "", .name = ""};

static void stands_alone(struct statement *s)
{
    s->role = ROLE_ALONE;
    s->probe = &rerun;
}

/* ---- pragmas ---- */

/* pragma.c: getSafetyLevel(), as sqlite3GetBoolean() calls it: digits are a number, any other word that is
   none of these is off. */
static bool is_true(struct str word)
{
    if (word.len && char_is_digit(word.at[0])) {
        for (size_t i = 0; i < word.len; i++) {
            if (word.at[i] != '0' && char_lower(word.at[i]) != 'x')
                return true;
        }
        return false;
    }
    return str_equal_nocase(word, STR("on")) || str_equal_nocase(word, STR("yes")) ||
           str_equal_nocase(word, STR("true"));
}

/* Refused or ignored within a transaction: "cannot change into wal mode from within a transaction",
   "Safety level may not be changed inside a transaction", "temporary storage cannot be changed from
   within a transaction", "database table is locked". page_size and auto_vacuum only act at a VACUUM. */
static const char *const alone_pragmas[] = {
    "auto_vacuum", "journal_mode", "locking_mode",         "page_size",
    "synchronous", "temp_store",   "temp_store_directory", "wal_checkpoint",
};

/* PRAGMA [schema.]name [= value | (value)] */
static void judge_pragma(struct statement *s, const struct words *w)
{
    size_t name = word_is(w, 2, ".") ? 3 : 1;
    bool has_value = word_is(w, name + 1, "=") || word_is(w, name + 1, "(");
    bool is_checkpoint = word_is(w, name, "wal_checkpoint");
    if (has_value && !is_checkpoint)
        s->session = SESSION_SETS;
    bool is_enforcement = word_is(w, name, "foreign_keys");
    bool is_deferral = word_is(w, name, "defer_foreign_keys");
    if (has_value && (is_enforcement || is_deferral)) {
        size_t value = name + (word_is(w, name + 2, "+") ? 3 : 2);
        s->role = is_enforcement ? ROLE_HOISTED : ROLE_ORDINARY;
        s->sets_deferral = is_deferral;
        s->is_switched_on = value < w->count && is_true(w->at[value]);
    }
    for (size_t i = 0; i < ARRAY_LEN(alone_pragmas); i++) {
        if (word_is(w, name, alone_pragmas[i]) && (has_value || is_checkpoint))
            stands_alone(s);
    }
}

/* ---- statements ---- */

static const struct kind_row {
    const char *first, *second; /* second NULL: any */
    const char *kind;
    enum transaction_role role;
    enum session_effect session;
} kinds[] = {
    {"alter", NULL, "ALTER TABLE", ROLE_ORDINARY, SESSION_NONE},
    {"analyze", NULL, "ANALYZE", ROLE_ORDINARY, SESSION_NONE},
    /* DETACH: "database x is locked" within a transaction; what it belongs with is kept like it */
    {"attach", NULL, "ATTACH", ROLE_ALONE, SESSION_SETS},
    {"begin", NULL, "BEGIN", ROLE_BEGIN, SESSION_NONE},
    {"commit", NULL, "COMMIT", ROLE_COMMIT, SESSION_NONE},
    {"create", "index", "CREATE INDEX", ROLE_ORDINARY, SESSION_NONE},
    {"create", "table", "CREATE TABLE", ROLE_ORDINARY, SESSION_NONE},
    {"create", "trigger", "CREATE TRIGGER", ROLE_ORDINARY, SESSION_NONE},
    {"create", "view", "CREATE VIEW", ROLE_ORDINARY, SESSION_NONE},
    {"create", "virtual", "CREATE VIRTUAL TABLE", ROLE_ORDINARY, SESSION_NONE},
    {"delete", NULL, "DELETE", ROLE_ORDINARY, SESSION_NONE},
    {"detach", NULL, "DETACH", ROLE_ALONE, SESSION_SETS},
    {"drop", "index", "DROP INDEX", ROLE_ORDINARY, SESSION_NONE},
    {"drop", "table", "DROP TABLE", ROLE_ORDINARY, SESSION_NONE},
    {"drop", "trigger", "DROP TRIGGER", ROLE_ORDINARY, SESSION_NONE},
    {"drop", "view", "DROP VIEW", ROLE_ORDINARY, SESSION_NONE},
    {"end", NULL, "COMMIT", ROLE_COMMIT, SESSION_NONE},
    {"explain", NULL, "EXPLAIN", ROLE_ORDINARY, SESSION_NONE},
    {"insert", NULL, "INSERT", ROLE_ORDINARY, SESSION_NONE},
    {"pragma", NULL, "PRAGMA", ROLE_ORDINARY, SESSION_NONE},
    {"reindex", NULL, "REINDEX", ROLE_ORDINARY, SESSION_NONE},
    {"release", NULL, "RELEASE", ROLE_ORDINARY, SESSION_NONE},
    {"replace", NULL, "REPLACE", ROLE_ORDINARY, SESSION_NONE},
    {"rollback", NULL, "ROLLBACK", ROLE_ROLLBACK, SESSION_NONE},
    {"savepoint", NULL, "SAVEPOINT", ROLE_ORDINARY, SESSION_NONE},
    {"select", NULL, "SELECT", ROLE_ORDINARY, SESSION_NONE},
    {"update", NULL, "UPDATE", ROLE_ORDINARY, SESSION_NONE},
    /* "cannot VACUUM from within a transaction" */
    {"vacuum", NULL, "VACUUM", ROLE_ALONE, SESSION_NONE},
    {"values", NULL, "VALUES", ROLE_ORDINARY, SESSION_NONE},
    {"with", NULL, "WITH", ROLE_ORDINARY, SESSION_NONE},
};

/* What changes rows or drops tables; and ALTER TABLE, which refuses some new columns, and renames. */
static bool heeds_foreign_keys(const char *kind)
{
    static const char *const heeding[] = {
        "", "ALTER TABLE", "DELETE", "DROP TABLE", "INSERT", "REPLACE", "UPDATE", "WITH",
    };
    for (size_t i = 0; i < ARRAY_LEN(heeding); i++) {
        if (strcmp(kind, heeding[i]) == 0)
            return true;
    }
    return false;
}

/* CREATE [TEMP] TABLE [IF NOT EXISTS] [temp .] name: what it makes goes with the connection. */
static void note_temporary(struct statement *s, const struct words *w)
{
    bool is_temporary = is_temp(w, 1);
    for (size_t i = 2; i + 1 < w->count && !word_is(w, i, "(") && !word_is(w, i, "as"); i++)
        is_temporary |= word_is(w, i, "temp") && word_is(w, i + 1, ".");
    if (is_temporary)
        s->session = SESSION_PERHAPS;
}

void sqlite_judge(struct statement *s)
{
    struct words w = first_words(s->text);
    size_t second =
        word_is(&w, 0, "create") && (is_temp(&w, 1) || word_is(&w, 1, "unique")) ? 2 : 1;
    s->kind = "";
    s->is_analysed = true;
    for (size_t i = 0; i < ARRAY_LEN(kinds) && !s->kind[0]; i++) {
        if (!word_is(&w, 0, kinds[i].first) ||
            (kinds[i].second && !word_is(&w, second, kinds[i].second)))
            continue;
        s->kind = kinds[i].kind;
        s->role = kinds[i].role;
        s->session = kinds[i].session;
    }
    s->heeds_foreign_keys = heeds_foreign_keys(s->kind);
    if (s->role == ROLE_ALONE)
        stands_alone(s);
    /* VACUUM [schema] INTO file: a second time it fails, "output file already exists". */
    if (word_is(&w, 0, "vacuum") && (word_is(&w, 1, "into") || word_is(&w, 2, "into")))
        s->probe = NULL;
    /* ROLLBACK [TRANSACTION] TO savepoint stays inside the transaction. */
    if (s->role == ROLE_ROLLBACK && (word_is(&w, 1, "to") || word_is(&w, 2, "to")))
        s->role = ROLE_ORDINARY;
    if (word_is(&w, 0, "create"))
        note_temporary(s, &w);
    if (word_is(&w, 0, "pragma"))
        judge_pragma(s, &w);
}
