/* One row for each form: it looks at a token and those around it, and says it in older words of the same
   length where that can be, so that places stay what they were. */
#include "core/base/buf.h"
#include "core/base/vec.h"
#include "planner/postgres/grammar.h"

struct rewriting {
    struct arena *a;
    struct str text;
    const struct token *at; /* without comments */
    size_t count;
    struct buf out;
    size_t copied;        /* bytes of the text that are in out, or replaced */
    unsigned depth;       /* of parentheses and brackets */
    size_t command;       /* commas at depth 0 so far */
    size_t generated_end; /* token that closes GENERATED ALWAYS AS (…); SIZE_MAX: none */
    bool is_changed;
    struct grammar_notes *notes;
};

/* ---- tokens ---- */

static bool is_word(const struct rewriting *r, size_t i, const char *word)
{
    if (i >= r->count || r->at[i].to <= r->at[i].from || r->at[i].to > r->text.len)
        return false; /* the end of a string constant may be anywhere */
    struct str token = {r->text.at + r->at[i].from, r->at[i].to - r->at[i].from};
    return str_equal_nocase(token, str_of(word));
}

/* i - back, or a place where nothing is. */
static size_t before(size_t i, size_t back)
{
    return i >= back ? i - back : SIZE_MAX;
}

static bool are_words(const struct rewriting *r, size_t i, const char *const *words, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (!is_word(r, i + k, words[k]))
            return false;
    }
    return true;
}
#define WORDS(r, i, ...)                                                                           \
    are_words((r), (i), (const char *const[]){__VA_ARGS__},                                        \
              ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static bool is_any(const struct rewriting *r, size_t i, const char *const *words, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        if (is_word(r, i, words[k]))
            return true;
    }
    return false;
}
#define ANY(r, i, ...)                                                                             \
    is_any((r), (i), (const char *const[]){__VA_ARGS__},                                           \
           ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static bool is_name(const struct rewriting *r, size_t i)
{
    if (i >= r->count)
        return false;
    char c = r->text.at[r->at[i].from];
    return c == '"' || c == '_' || char_is_alpha(c) || (unsigned char)c >= 0x80;
}

/* The token behind the parenthesis that opens at i. */
static size_t behind_parenthesis(const struct rewriting *r, size_t i)
{
    size_t depth = 0;
    for (; i < r->count; i++) {
        depth += is_word(r, i, "(");
        if (is_word(r, i, ")") && --depth == 0)
            return i + 1;
    }
    return i;
}

/* ---- changes ---- */

static void copy_until(struct rewriting *r, size_t offset)
{
    if (offset > r->copied) {
        buf_add(&r->out, r->text.at + r->copied, offset - r->copied);
        r->copied = offset;
    }
}

/* Tokens [from, from + count) become these words, padded. */
static size_t replace(struct rewriting *r, size_t from, size_t count, const char *with)
{
    size_t begin = r->at[from].from;
    size_t end = from + count == r->count ? r->text.len : r->at[from + count - 1].to;
    copy_until(r, begin);
    size_t len = strlen(with);
    buf_add(&r->out, with, len);
    for (; len < end - begin; len++)
        buf_add_char(&r->out, ' ');
    r->copied = end;
    r->is_changed = true;
    return count;
}

static void note(struct rewriting *r, enum grammar_mark mark, unsigned bits)
{
    struct grammar_note n = {mark, bits, r->out.len, r->command};
    vec_push(r->a, r->notes, n);
}

static void insert(struct rewriting *r, size_t behind, const char *words)
{
    copy_until(r, r->at[behind].to);
    buf_add_cstr(&r->out, words);
    r->is_changed = true;
}

/* ---- the forms: each gives the tokens it has used up, 0 where it is not meant ---- */

static bool is_virtual(struct rewriting *r, size_t i)
{
    return is_word(r, i, "virtual") && before(i, 1) == r->generated_end;
}

static size_t generated(struct rewriting *r, size_t i)
{
    if (WORDS(r, i, "generated", "always", "as", "("))
        r->generated_end = behind_parenthesis(r, i + 3) - 1;
    if (is_virtual(r, i)) {
        copy_until(r, r->at[i].from);
        note(r, MARK_BITS, GRAMMAR_VIRTUAL);
        return replace(r, i, 1, "STORED");
    }
    if (i == r->generated_end && i + 1 <= r->count && is_word(r, i, ")") &&
        !ANY(r, i + 1, "stored", "virtual")) {
        insert(r, i, " STORED");
        note(r, MARK_BITS, GRAMMAR_VIRTUAL);
        r->depth -= r->depth > 0;
        return 1;
    }
    return 0;
}

static size_t storage(struct rewriting *r, size_t i)
{
    if (!is_word(r, i, "storage") || i < 2 || !is_name(r, i + 1))
        return 0;
    if (is_word(r, i - 1, "set"))
        return is_word(r, i + 1, "default") ? 1 + replace(r, i + 1, 1, "main") : 0;
    if (ANY(r, i - 1, "(", ",", "add", "column", "exists", "alter", "drop", "rename", "to"))
        return 0;
    return replace(r, i, 2, "");
}

/* NOT NULL column, where a table's constraint stands. */
static size_t not_null(struct rewriting *r, size_t i)
{
    if (!WORDS(r, i, "not", "null"))
        return 0;
    if (WORDS(r, i + 2, "no", "inherit")) {
        note(r, MARK_NO_INHERIT, 0);
        copy_until(r, r->at[i + 1].to);
        r->notes->at[r->notes->count - 1].at = r->out.len;
        return 2 + replace(r, i + 2, 2, "");
    }
    bool is_named = is_word(r, before(i, 2), "constraint");
    size_t front = is_named ? before(i, 3) : before(i, 1);
    if (!ANY(r, front, "(", ",", "add"))
        return 0;
    if (WORDS(r, 0, "alter", "domain")) {
        copy_until(r, r->at[i].from);
        note(r, MARK_NOT_NULL, 0);
        return replace(r, i, 2, "CHECK(x)");
    }
    if (!is_name(r, i + 2))
        return 0;
    copy_until(r, r->at[i].from);
    note(r, MARK_NOT_NULL, 0);
    const struct token *column = &r->at[i + 2];
    const char *check = arena_printf(r->a, "CHECK(%.*s)", (int)(column->to - column->from),
                                     r->text.at + column->from);
    return replace(r, i, 3, check);
}

static size_t enforced(struct rewriting *r, size_t i)
{
    bool is_not = WORDS(r, i, "not", "enforced");
    if (!is_not && !is_word(r, i, "enforced"))
        return 0;
    if (i < 2 || ANY(r, before(i, 1), "(", ",", "add", "column", "."))
        return 0;
    bool is_altered = WORDS(r, before(i, 3), "alter", "constraint");
    for (size_t k = i; k >= 3 && !is_altered && !is_word(r, k, ","); k--)
        is_altered = WORDS(r, k - 3, "alter", "constraint");
    copy_until(r, r->at[i].from);
    note(r, is_altered ? MARK_COMMAND_BITS : MARK_BITS,
         is_not ? GRAMMAR_NOT_ENFORCED : GRAMMAR_ENFORCED);
    return replace(r, i, is_not ? 2 : 1, "");
}

static size_t alter_constraint(struct rewriting *r, size_t i)
{
    if (!WORDS(r, before(i, 3), "alter", "constraint"))
        return 0;
    bool is_no = WORDS(r, i, "no", "inherit");
    if (!is_no && !is_word(r, i, "inherit"))
        return 0;
    note(r, MARK_COMMAND_BITS, is_no ? GRAMMAR_NO_INHERIT : GRAMMAR_INHERIT);
    return replace(r, i, is_no ? 2 : 1, "");
}

static size_t set_expression(struct rewriting *r, size_t i)
{
    if (!WORDS(r, i, "set", "expression", "as"))
        return 0;
    note(r, MARK_EXPRESSION, 0);
    return 1 + replace(r, i + 1, 2, "DEFAULT");
}

static size_t period(struct rewriting *r, size_t i)
{
    bool is_overlaps = WORDS(r, i, "without", "overlaps") && is_word(r, i + 2, ")");
    bool is_period = is_word(r, i, "period") && is_word(r, before(i, 1), ",") &&
                     is_name(r, i + 1) && is_word(r, i + 2, ")");
    if (!is_overlaps && !is_period)
        return 0;
    copy_until(r, r->at[i].from);
    note(r, MARK_BITS, GRAMMAR_PERIOD);
    return replace(r, i, is_overlaps ? 2 : 1, "");
}

static size_t merge(struct rewriting *r, size_t i)
{
    if (WORDS(r, i, "not", "matched", "by", "source"))
        return replace(r, i, 4, "MATCHED");
    if (WORDS(r, i, "not", "matched", "by", "target"))
        return 2 + replace(r, i + 2, 2, "");
    if (WORDS(r, i, "returning", "with", "("))
        return 1 + replace(r, i + 1, behind_parenthesis(r, i + 2) - i - 1, "");
    bool is_merge = false;
    for (size_t k = 0; k + 1 < i && !is_merge; k++)
        is_merge = WORDS(r, k, "merge", "into");
    if (!is_merge || r->depth || !is_word(r, i, "returning"))
        return 0;
    return replace(r, i, r->count - i, "");
}

static size_t defaults(struct rewriting *r, size_t i)
{
    if (WORDS(r, i, "set", "access", "method", "default"))
        return 3 + replace(r, i + 3, 1, "heap");
    if (WORDS(r, i, "set", "statistics", "default"))
        return 2 + replace(r, i + 2, 1, "-1");
    return 0;
}

static size_t is_json(struct rewriting *r, size_t i)
{
    if (!is_word(r, i, "is"))
        return 0;
    size_t at = i + (is_word(r, i + 1, "not") ? 2 : 1);
    if (!is_word(r, at, "json"))
        return 0;
    size_t end = at + 1;
    end += ANY(r, end, "value", "array", "object", "scalar");
    if (WORDS(r, end, "with", "unique") || WORDS(r, end, "without", "unique"))
        end += is_word(r, end + 2, "keys") ? 3 : 2;
    return at - i + replace(r, at, end - at, "TRUE");
}

static size_t unnamed(struct rewriting *r, size_t i)
{
    if (i == 2 && WORDS(r, 0, "create", "statistics") && ANY(r, i, "on", "(")) {
        insert(r, i - 1, " x");
        note(r, MARK_NO_NAME, 0);
        return 0;
    }
    bool is_last = i + 1 == r->count;
    if (is_word(r, 0, "reindex") && is_last && ANY(r, i, "database", "system", "concurrently")) {
        insert(r, i, " x");
        note(r, MARK_NO_NAME, 0);
        return 1;
    }
    return 0;
}

static size_t only(struct rewriting *r, size_t i)
{
    if (!is_word(r, i, "only") || !is_name(r, i + 1) || !ANY(r, 0, "vacuum", "analyze", "analyse"))
        return 0;
    copy_until(r, r->at[i].from);
    note(r, MARK_ONLY, 0);
    return replace(r, i, 1, "");
}

static size_t grant(struct rewriting *r, size_t i)
{
    if (!ANY(r, 0, "grant", "revoke") || !is_word(r, i, "with") ||
        !ANY(r, i + 1, "inherit", "set", "admin"))
        return 0;
    size_t end = i;
    while (end < r->count && !is_word(r, end, "granted"))
        end++;
    return replace(r, i, end - i, "");
}

/* 1_000, 0x1F, 0o17, 0b1 in plain decimals. */
static size_t number(struct rewriting *r, size_t i)
{
    if (r->at[i].kind != PG_QUERY__TOKEN__ICONST && r->at[i].kind != PG_QUERY__TOKEN__FCONST)
        return 0;
    struct str token = {r->text.at + r->at[i].from, r->at[i].to - r->at[i].from};
    const char *plain = grammar_plain_number(r->a, token);
    return plain ? replace(r, i, 1, plain) : 0;
}

typedef size_t form(struct rewriting *r, size_t i);
static form *const forms[] = {
    number,           generated,      storage, not_null, enforced,
    alter_constraint, set_expression, period,  merge,    defaults,
    is_json,          unnamed,        only,    grant,
};

static void count_depth(struct rewriting *r, size_t i)
{
    r->depth += ANY(r, i, "(", "[");
    if (ANY(r, i, ")", "]") && r->depth)
        r->depth--;
    r->command += r->depth == 0 && is_word(r, i, ",");
}

static void rewrite(struct rewriting *r)
{
    for (size_t i = 0; i < r->count;) {
        size_t used = 0;
        for (size_t k = 0; k < ARRAY_LEN(forms) && !used; k++)
            used = forms[k](r, i);
        if (!used) {
            count_depth(r, i);
            used = 1;
        }
        i += used;
    }
    copy_until(r, r->text.len);
}

struct str grammar_rewrite(struct arena *a, struct str text, struct grammar_notes *out)
{
    SCOPED(tokens) struct tokens tokens = {0};
    parse_scan(a, text, &tokens);
    if (tokens.error_at != SIZE_MAX)
        return (struct str){0};
    size_t kept = 0;
    for (size_t i = 0; i < tokens.count; i++) {
        if (tokens.at[i].kind != PG_QUERY__TOKEN__SQL_COMMENT &&
            tokens.at[i].kind != PG_QUERY__TOKEN__C_COMMENT)
            tokens.at[kept++] = tokens.at[i];
    }
    struct rewriting r = {
        .a = a,
        .text = text,
        .at = tokens.at,
        .count = kept,
        .generated_end = SIZE_MAX,
        .notes = out,
    };
    rewrite(&r);
    struct str older = r.is_changed ? arena_str(a, buf_str(&r.out)) : (struct str){0};
    buf_release(&r.out);
    return older;
}
