/* Statements by their first word: see fake_dialect.h. */
#include "drivers/testkit/fake_dialect.h"

#include "core/base/text.h"
#include "core/base/vec.h"

static const struct word {
    const char *text;
    enum transaction_role role;
    enum session_effect session;
    enum probe_kind probe;
} words[] = {
    {"BEGIN", ROLE_BEGIN, SESSION_NONE, PROBE_NONE},
    {"COMMIT", ROLE_COMMIT, SESSION_NONE, PROBE_NONE},
    {"ROLLBACK", ROLE_ROLLBACK, SESSION_NONE, PROBE_NONE},
    {"alone", ROLE_ALONE, SESSION_NONE, PROBE_INDEX_VALID},
    {"again", ROLE_ALONE, SESSION_NONE, PROBE_RERUN},
    {"blind", ROLE_ALONE, SESSION_NONE, PROBE_NONE},
    {"set", ROLE_ORDINARY, SESSION_SETS, PROBE_NONE},
    {"perhaps", ROLE_ORDINARY, SESSION_PERHAPS, PROBE_NONE},
    {"refused", ROLE_REFUSED, SESSION_NONE, PROBE_NONE},
};

static struct str first_word(struct str text)
{
    size_t len = 0;
    while (len < text.len && !char_is_space(text.at[len]))
        len++;
    return (struct str){text.at, len};
}

static struct statement make_statement(struct arena *a, const struct cut_request *request,
                                       size_t offset, struct str text)
{
    struct text_place place = text_place_of(request->window, offset);
    struct statement s = {
        .text = text,
        .offset_bytes = request->offset_bytes + offset,
        .line = request->line + place.line - 1,
        .column = place.line == 1 ? request->column + place.column - 1 : place.column,
        .kind = "STATEMENT",
        .class = CLASS_ADDITIVE,
        .is_analysed = true,
        .refusal = "Leave it out.",
    };
    struct str word = first_word(text);
    s.is_copy_from_stdin = str_equal(word, STR("copy"));
    s.has_secret = str_equal(word, STR("secret"));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_equal(word, str_of(words[i].text)))
            continue;
        s.role = words[i].role;
        s.session = words[i].session;
        if (words[i].probe != PROBE_NONE) {
            struct probe *p = arena_new(a, struct probe);
            *p = (struct probe){.kind = words[i].probe, .schema = "", .name = arena_cstr(a, text)};
            s.probe = p;
        }
    }
    return s;
}

/* Behind white space and comments. */
static size_t skip_blanks(struct str window, size_t at)
{
    for (;;) {
        while (at < window.len && char_is_space(window.at[at]))
            at++;
        if (!str_starts(str_skip(window, at), STR("--")))
            return at;
        size_t len = str_find_char(str_skip(window, at), '\n');
        at = len == SIZE_MAX ? window.len : at + len + 1;
    }
}

static bool cut(struct arena *a, const struct cut_request *request, struct cut_result *out,
                struct fail *f)
{
    (void)f;
    struct str window = request->window;
    *out = (struct cut_result){.is_tree_whole = true};
    for (;;) {
        size_t from = skip_blanks(window, out->consumed_bytes);
        size_t len = str_find_char(str_skip(window, from), ';');
        bool is_whole = len != SIZE_MAX || request->is_end;
        if (from == window.len || !is_whole) {
            if (request->is_end)
                out->consumed_bytes = window.len;
            out->stop = request->is_end ? CUT_AT_END : CUT_NEEDS_MORE;
            return true;
        }
        size_t end = len == SIZE_MAX ? window.len : from + len + 1;
        struct str text = {window.at + from, end - from - (len != SIZE_MAX)};
        struct statement s = make_statement(a, request, from, str_trim(text));
        if (s.is_copy_from_stdin) {
            size_t newline = str_find_char(str_skip(window, end), '\n');
            if (newline == SIZE_MAX && !request->is_end)
                return true;
            end = newline == SIZE_MAX ? window.len : end + newline + 1;
        }
        out->consumed_bytes = end;
        if (request->tree) {
            digest_add(request->tree, s.text);
            digest_add(request->tree, STR(";"));
        }
        vec_push(a, &out->statements, s);
        if (s.is_copy_from_stdin) {
            out->stop = CUT_AT_COPY;
            return true;
        }
    }
}

static struct str redact(struct arena *a, const struct statement *s)
{
    (void)a;
    return s->has_secret ? STR("secret") : s->text;
}

const struct dialect *fake_dialect(void)
{
    static const struct dialect dialect = {
        .engine = ENGINE_SQLITE,
        .tree_kind = "fake",
        .cut = cut,
        .redact = redact,
    };
    return &dialect;
}
