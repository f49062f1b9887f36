/* Statements with a password in them: never shown or stored as they are. */
#include "core/base/text.h"
#include "planner/postgres/judge.h"

#define T(name) PG_QUERY__TOKEN__##name

/* %L, %s, %1$L: a place that format() fills. */
static bool is_format_place(struct str s)
{
    return s.len > 1 && s.at[0] == '%' && (char_is_digit(s.at[1]) || strchr("LsI-", s.at[1]));
}

/* Behind the word: =, :=, a text, a place of format(), or the quote of a name
 * and then those. */
static bool is_given_a_value(struct str behind)
{
    enum { NEAR_BYTES = 80 };
    if (behind.len && behind.at[0] == '"')
        behind = str_skip(behind, 1);
    behind = str_trim((struct str){behind.at, behind.len < NEAR_BYTES ? behind.len : NEAR_BYTES});
    return str_starts(behind, STR("=")) || str_starts(behind, STR("'")) ||
           str_starts(behind, STR("$")) || str_starts_nocase(behind, STR("e'")) ||
           str_starts_nocase(behind, STR("u&'")) || str_starts(behind, STR(":=")) ||
           is_format_place(behind);
}

/* '/etc/passwd': the quote behind the name ends a path. */
static bool ends_path(struct str text, size_t at, struct str behind)
{
    return at > 0 && text.at[at - 1] == '/' && str_starts(behind, STR("'"));
}

static bool has_password(struct str text)
{
    for (size_t i = 0; i + 6 < text.len; i++) {
        if (text.at[i] != 'p' && text.at[i] != 'P')
            continue;
        struct str rest = str_skip(text, i);
        if (str_starts_nocase(rest, STR("password")) && is_given_a_value(str_skip(rest, 8)))
            return true;
        if (str_starts_nocase(rest, STR("passwd")) && !ends_path(text, i, str_skip(rest, 6)) &&
            is_given_a_value(str_skip(rest, 6)))
            return true;
    }
    return false;
}

/* ://user:password@ */
static bool has_url_with_password(struct str text)
{
    for (;;) {
        size_t at = str_find(text, STR("://"));
        if (at == SIZE_MAX)
            return false;
        text = str_skip(text, at + 3);
        size_t len = 0;
        while (len < text.len && !char_is_space(text.at[len]) && !strchr("/'@", text.at[len]))
            len++;
        bool is_user = len < text.len && text.at[len] == '@';
        if (is_user && str_find_char((struct str){text.at, len}, ':') != SIZE_MAX)
            return true;
    }
}

/* ---- by the kind of statement ---- */

/* Kinds of the first tokens, without comments; 0 behind the last one. */
static void first_kinds(const struct token *at, size_t count, int *kinds, size_t wanted)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found < wanted; i++) {
        if (at[i].kind != T(SQL_COMMENT) && at[i].kind != T(C_COMMENT))
            kinds[found++] = at[i].kind;
    }
}

/* DO, and CREATE [OR REPLACE] FUNCTION | PROCEDURE: variables and
   concatenations may hold the password anywhere near the word. */
static bool is_code(const int kinds[4])
{
    bool is_replaced = kinds[1] == T(OR) && kinds[2] == T(REPLACE);
    int made = is_replaced ? kinds[3] : kinds[1];
    return kinds[0] == T(DO) ||
           (kinds[0] == T(CREATE) && (made == T(FUNCTION) || made == T(PROCEDURE)));
}

/* CREATE | ALTER ROLE | USER | GROUP … PASSWORD and anything but NULL: also
   what forgot its quotes, which is no SQL, but a password. */
static bool is_role_with_password(const int kinds[4], const struct token *at, size_t count)
{
    bool is_role = (kinds[0] == T(CREATE) || kinds[0] == T(ALTER)) &&
                   (kinds[1] == T(ROLE) || kinds[1] == T(USER) || kinds[1] == T(GROUP_P));
    bool is_behind_password = false;
    for (size_t i = 2; is_role && i < count; i++) {
        if (at[i].kind == T(SQL_COMMENT) || at[i].kind == T(C_COMMENT))
            continue;
        if (is_behind_password && at[i].kind != T(NULL_P))
            return true;
        is_behind_password = at[i].kind == T(PASSWORD);
    }
    return false;
}

/* In conninfo texts too. Says yes too often rather than too seldom: the price
   is a statement that is shown without its literals. */
bool judge_has_secret(struct str text, const struct token *at, size_t count)
{
    int kinds[4] = {0};
    first_kinds(at, count, kinds, ARRAY_LEN(kinds));
    return has_password(text) || has_url_with_password(text) ||
           is_role_with_password(kinds, at, count) ||
           (is_code(kinds) && text_mentions_password(text));
}

/* A word that was to be PASSWORD, as far as its letters tell. */
static bool is_like_password(struct str text, const struct token *t)
{
    enum { LETTERS_OFF = 3 };
    if (t->from >= t->to || t->to > text.len || t->to - t->from > 12)
        return false;
    SCOPED(buf) struct buf word = {0};
    for (uint32_t i = t->from; i < t->to; i++)
        buf_add_char(&word, char_lower(text.at[i]));
    return text_edit_distance(buf_str(&word), STR("password")) <= LETTERS_OFF;
}

bool judge_may_have_secret(struct str text, const struct token *at, size_t count)
{
    enum { WORDS_IN_FRONT = 4 };
    bool is_about_roles = false;
    bool is_behind_password = false;
    size_t words = 0;
    for (size_t i = 0; i < count; i++) {
        /* Their offsets are those of the window, where the statement begins with its first token. */
        struct token t = {at[i].kind, at[i].from - at[0].from, at[i].to - at[0].from};
        if (t.kind == T(SQL_COMMENT) || t.kind == T(C_COMMENT))
            continue;
        if (t.kind == T(SCONST) && (is_about_roles || is_behind_password))
            return true;
        is_behind_password = (is_behind_password && t.kind == '=') || is_like_password(text, &t);
        is_about_roles |= words++ < WORDS_IN_FRONT &&
                          (t.kind == T(ROLE) || t.kind == T(USER) || t.kind == T(GROUP_P));
    }
    return false;
}

struct str judge_redact(struct arena *a, const struct statement *s)
{
    if (!s->has_secret)
        return arena_str(a, s->text);
    struct str shown = {0};
    if (s->is_analysed)
        shown = parse_without_literals(a, s->text);
    if (shown.len)
        return shown;
    return str_of(
        arena_printf(a, "<hidden: %s with a secret>", s->kind[0] ? s->kind : "statement"));
}
