/*
 * A cursor runs over the comment; every function takes from its front and refuses by name and
 * place. Expressions of `using` are cut at the next argument's name outside of quotes and
 * parentheses: they are written as in SQL and must not need another layer of quoting.
 */
#include "core/model/directive.h"

#include "core/base/text.h"

struct cursor {
    struct arena *a;
    struct str comment; /* the whole line, for places */
    struct str rest;
    struct str path;
    struct directive *out;
};

/* What each word reads behind it. */
typedef bool argument_reader(struct cursor *c, struct fail *f);

static argument_reader read_allow, read_nothing, read_phase, read_using, read_batch, read_timeout;

struct directive_row {
    enum directive_kind kind;
    const char *name;
    const char *form; /* shown in hints */
    argument_reader *read;
};

static const struct directive_row rows[] = {
    {DIRECTIVE_ALLOW, "allow", "-- migrate: allow <hazard> reason=\"why it is safe here\"",
     read_allow},
    {DIRECTIVE_AS_WRITTEN, "as-written", "-- migrate: as-written", read_nothing},
    {DIRECTIVE_NO_TRANSACTION, "no-transaction", "-- migrate: no-transaction", read_nothing},
    {DIRECTIVE_PHASE, "phase", "-- migrate: phase contract", read_phase},
    {DIRECTIVE_USING, "using", "-- migrate: using forward=<expression> backward=<expression>",
     read_using},
    {DIRECTIVE_BATCH, "batch", "-- migrate: batch triggers=fire|skip key=<column>, <column>",
     read_batch},
    {DIRECTIVE_TIMEOUT, "timeout", "-- migrate: timeout lock=2s statement=10m", read_timeout},
};

const char *directive_name(enum directive_kind k)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == k)
            return rows[i].name;
    return "";
}

static const char *form_of(enum directive_kind k)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].kind == k)
            return rows[i].form;
    return "";
}

/* Names the place at which the rest begins, and how the directive is written. */
static bool place(const struct cursor *c, struct fail *f)
{
    size_t offset = (size_t)(c->rest.at - c->comment.at);
    uint32_t column = text_place_of(c->comment, offset).column;
    fail_at(f, c->path, c->out->line, column, c->comment);
    if (c->out->kind != DIRECTIVE_NONE)
        fail_hint(f, "Write it as: %s", form_of(c->out->kind));
    return false;
}

static void skip_blanks(struct cursor *c)
{
    while (c->rest.len && char_is_space(c->rest.at[0]))
        c->rest = str_skip(c->rest, 1);
}

static struct str take_word(struct cursor *c)
{
    skip_blanks(c);
    size_t len = 0;
    while (len < c->rest.len && !char_is_space(c->rest.at[len]))
        len++;
    struct str word = {.at = c->rest.at, .len = len};
    c->rest = str_skip(c->rest, len);
    return word;
}

static bool expect_end(struct cursor *c, struct fail *f)
{
    skip_blanks(c);
    if (c->rest.len == 0)
        return true;
    fail_set(f, EXIT_USAGE, "unexpected text behind the directive \"%s\"",
             directive_name(c->out->kind));
    return place(c, f);
}

static bool read_nothing(struct cursor *c, struct fail *f)
{
    return expect_end(c, f);
}

/* "text with \" and \\", or one bare word. The cursor stands behind the '='. */
static bool take_value(struct cursor *c, struct str *out, struct fail *f)
{
    if (c->rest.len == 0 || c->rest.at[0] != '"') {
        *out = c->rest.len && char_is_space(c->rest.at[0]) ? (struct str){0} : take_word(c);
        return true;
    }
    size_t escapes = 0;
    size_t at = 1;
    while (at < c->rest.len && c->rest.at[at] != '"') {
        bool is_escape = c->rest.at[at] == '\\' && at + 1 < c->rest.len;
        escapes += is_escape;
        at += is_escape ? 2 : 1;
    }
    if (at >= c->rest.len) {
        fail_set(f, EXIT_USAGE, "unterminated quoted text in a directive");
        return place(c, f);
    }
    struct str raw = {.at = c->rest.at + 1, .len = at - 1};
    c->rest = str_skip(c->rest, at + 1);
    *out = raw;
    if (escapes == 0)
        return true;
    char *text = arena_alloc(c->a, raw.len - escapes + 1);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.at[i] == '\\')
            i++;
        text[len++] = raw.at[i];
    }
    *out = (struct str){.at = text, .len = len};
    return true;
}

static bool is_hazard_id(struct str word)
{
    for (size_t i = 0; i < word.len; i++) {
        char at = word.at[i];
        if (at != '-' && !char_is_digit(at) && !(char_is_alpha(at) && at == char_lower(at)))
            return false;
    }
    return word.len && word.at[0] != '-' && word.at[word.len - 1] != '-';
}

static bool read_allow(struct cursor *c, struct fail *f)
{
    struct cursor before = *c;
    skip_blanks(&before);
    c->out->hazard = take_word(c);
    if (!is_hazard_id(c->out->hazard)) {
        fail_set(f, EXIT_USAGE, "\"allow\" must be followed by the id of a hazard");
        fail_hint(f, "\"migrate explain\" lists the hazards.");
        return place(&before, f);
    }
    skip_blanks(c);
    before = *c;
    if (str_starts(c->rest, STR("reason="))) {
        c->rest = str_skip(c->rest, strlen("reason="));
        if (!take_value(c, &c->out->reason, f))
            return false;
    } else if (c->rest.len) {
        fail_set(f, EXIT_USAGE, "\"allow %.*s\" must be followed by reason=\"…\"",
                 STR_ARG(c->out->hazard));
        return place(c, f);
    }
    if (str_is_empty(str_trim(c->out->reason))) {
        fail_set(f, EXIT_USAGE, "\"allow %.*s\" has no reason", STR_ARG(c->out->hazard));
        return place(&before, f);
    }
    return expect_end(c, f);
}

static bool read_phase(struct cursor *c, struct fail *f)
{
    skip_blanks(c);
    struct cursor before = *c;
    c->out->phase = take_word(c);
    if (str_equal(c->out->phase, STR("contract")))
        return expect_end(c, f);
    fail_set(f, EXIT_USAGE, "unknown phase \"%.*s\"", STR_ARG(c->out->phase));
    return place(&before, f);
}

/* The byte behind a quoted text that begins at `at`; doubled quotes just begin another one. */
static size_t skip_quoted(struct str s, size_t at)
{
    char quote = s.at[at++];
    while (at < s.len && s.at[at] != quote)
        at++;
    return at < s.len ? at + 1 : at;
}

static bool begins_argument(struct str s)
{
    return str_starts(s, STR("forward=")) || str_starts(s, STR("backward="));
}

/* An SQL expression up to the next argument's name, or the end of the line. */
static struct str take_expression(struct cursor *c)
{
    struct str s = c->rest;
    size_t depth = 0;
    size_t at = 0;
    while (at < s.len) {
        char now = s.at[at];
        if (now == '\'' || now == '"') {
            at = skip_quoted(s, at);
            continue;
        }
        if (now == '(' || now == '[')
            depth++;
        else if ((now == ')' || now == ']') && depth)
            depth--;
        else if (depth == 0 && char_is_space(now) && begins_argument(str_skip(s, at + 1)))
            break;
        at++;
    }
    c->rest = str_skip(s, at);
    return str_trim((struct str){.at = s.at, .len = at});
}

static bool read_using(struct cursor *c, struct fail *f)
{
    do {
        skip_blanks(c);
        struct cursor before = *c;
        bool is_forward = str_starts(c->rest, STR("forward="));
        struct str *into = is_forward ? &c->out->forward : &c->out->backward;
        if (!begins_argument(c->rest)) {
            fail_set(f, EXIT_USAGE, "\"using\" must be followed by forward=… and backward=…");
            return place(c, f);
        }
        c->rest = str_skip(c->rest, is_forward ? strlen("forward=") : strlen("backward="));
        if (into->len) {
            fail_set(f, EXIT_USAGE, "\"%s=\" is given twice", is_forward ? "forward" : "backward");
            return place(&before, f);
        }
        *into = take_expression(c);
        if (into->len == 0) {
            fail_set(f, EXIT_USAGE, "\"%s=\" has no expression",
                     is_forward ? "forward" : "backward");
            return place(&before, f);
        }
        skip_blanks(c);
    } while (c->rest.len);
    return true;
}

static bool read_triggers(struct cursor *c, struct fail *f)
{
    struct cursor before = *c;
    struct str word = str_skip(take_word(c), strlen("triggers="));
    bool is_twice = c->out->triggers != BATCH_TRIGGERS_UNSAID;
    c->out->triggers = str_equal(word, STR("fire"))   ? BATCH_TRIGGERS_FIRE
                       : str_equal(word, STR("skip")) ? BATCH_TRIGGERS_SKIP
                                                      : BATCH_TRIGGERS_UNSAID;
    if (!is_twice && c->out->triggers != BATCH_TRIGGERS_UNSAID)
        return true;
    if (is_twice)
        fail_set(f, EXIT_USAGE, "\"triggers=\" is given twice");
    else
        fail_set(f, EXIT_USAGE, "\"triggers=\" is fire or skip, not \"%.*s\"", STR_ARG(word));
    return place(&before, f);
}

/* The columns are the rest of the line: names may have blanks in them. */
static bool read_batch(struct cursor *c, struct fail *f)
{
    skip_blanks(c);
    struct cursor before = *c;
    while (str_starts(c->rest, STR("triggers="))) {
        if (!read_triggers(c, f))
            return false;
        skip_blanks(c);
    }
    bool is_said = c->out->triggers != BATCH_TRIGGERS_UNSAID && !c->rest.len;
    if (str_starts(c->rest, STR("key="))) {
        c->out->key = str_trim(str_skip(c->rest, strlen("key=")));
        c->rest = str_skip(c->rest, c->rest.len);
    }
    if (c->out->key.len || is_said)
        return true;
    fail_set(f, EXIT_USAGE, "\"batch\" must be followed by triggers=… or key=<columns>");
    return place(&before, f);
}

struct duration_unit {
    const char *name;
    uint64_t ms;
};
static const struct duration_unit duration_units[] = {
    {"ms", 1},          {"s", 1000},           {"m", 60 * 1000},
    {"min", 60 * 1000}, {"h", 60 * 60 * 1000}, {"d", 24 * 60 * 60 * 1000},
};

/* Milliseconds, from 1 to UINT32_MAX. */
static bool parse_duration(struct str text, uint32_t *out_ms)
{
    size_t digits = 0;
    while (digits < text.len && char_is_digit(text.at[digits]))
        digits++;
    uint64_t number;
    if (!str_to_u64((struct str){.at = text.at, .len = digits}, &number))
        return false;
    struct str unit = str_skip(text, digits);
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        uint64_t ms;
        if (!str_equal(unit, str_of(duration_units[i].name)))
            continue;
        if (__builtin_mul_overflow(number, duration_units[i].ms, &ms) || ms == 0 || ms > UINT32_MAX)
            return false;
        *out_ms = (uint32_t)ms;
        return true;
    }
    return false;
}

static bool read_timeout(struct cursor *c, struct fail *f)
{
    do {
        skip_blanks(c);
        struct cursor before = *c;
        struct str name;
        struct str word = take_word(c);
        struct str value = str_cut(word, '=', &name);
        uint32_t *into = str_equal(name, STR("lock"))        ? &c->out->lock_timeout_ms
                         : str_equal(name, STR("statement")) ? &c->out->statement_timeout_ms
                                                             : NULL;
        if (!into) {
            fail_set(f, EXIT_USAGE, "\"timeout\" must be followed by lock=… or statement=…");
            return place(&before, f);
        }
        if (*into) {
            fail_set(f, EXIT_USAGE, "\"%.*s=\" is given twice", STR_ARG(name));
            return place(&before, f);
        }
        if (!parse_duration(value, into)) {
            fail_set(f, EXIT_USAGE, "invalid duration \"%.*s\"", STR_ARG(value));
            fail_hint(f, "A duration is a whole number from 1 with a unit: 400ms, 2s, 10m, 1h.");
            return place(&before, f);
        }
        skip_blanks(c);
    } while (c->rest.len);
    return true;
}

static bool refuse_unknown(const struct cursor *at, struct str word, struct fail *f)
{
    const struct directive_row *nearest = NULL;
    size_t least = 4; /* more differences than this are another word */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t distance = text_edit_distance(word, str_of(rows[i].name));
        if (distance < least && distance < word.len) {
            least = distance;
            nearest = &rows[i];
        }
    }
    fail_set(f, EXIT_USAGE, "unknown directive \"%.*s\"", STR_ARG(word));
    place(at, f);
    if (nearest)
        return fail_hint(f, "Did you mean \"%s\"?", nearest->form);
    return fail_hint(f,
                     "A comment that begins with \"migrate:\" is a directive: allow, as-written, "
                     "no-transaction, phase, using, batch or timeout. Reword an ordinary "
                     "comment.");
}

bool directive_parse(struct arena *a, struct str comment, struct str path, uint32_t line,
                     struct directive *out, struct fail *f)
{
    *out = (struct directive){.line = line};
    while (comment.len && char_is_space(comment.at[comment.len - 1]))
        comment.len--;
    struct cursor c = {.a = a, .comment = comment, .rest = comment, .path = path, .out = out};
    skip_blanks(&c);
    if (!str_starts(c.rest, STR("--")))
        return true;
    c.rest = str_skip(c.rest, strlen("--"));
    skip_blanks(&c);
    if (!str_starts(c.rest, STR("migrate:")))
        return true;
    c.rest = str_skip(c.rest, strlen("migrate:"));
    bool is_close = c.rest.len && !char_is_space(c.rest.at[0]);
    skip_blanks(&c);
    struct cursor before = c;
    struct str word = take_word(&c);
    if (is_close && (str_equal(word, STR("up")) || str_equal(word, STR("down"))))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!str_equal(word, str_of(rows[i].name)))
            continue;
        out->kind = rows[i].kind;
        return rows[i].read(&c, f);
    }
    return refuse_unknown(&before, word, f);
}
