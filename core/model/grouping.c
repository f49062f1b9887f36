/*
 * Which statements share a transaction: see grouping.h. One function per role; each only looks at the
 * open unit.
 */
#include "core/model/grouping.h"

const char *unit_kind_name(enum unit_kind k)
{
    switch (k) {
    case UNIT_OURS:
        return "single";
    case UNIT_OWN:
        return "own";
    case UNIT_RANGES:
        return "batches";
    case UNIT_NONE:
    case UNIT_ALONE:
        break;
    }
    return "none";
}

struct grouping grouping_start(enum engine engine, enum transaction_mode mode)
{
    return (struct grouping){.engine = engine, .mode = mode};
}

bool grouping_is_open(const struct grouping *g)
{
    return g->open != UNIT_NONE;
}

static void open_unit(struct grouping *g, enum unit_kind kind, struct grouping_step *out)
{
    out->open = kind;
    g->open = kind;
    g->unit++;
    g->in_unit = 0;
}

/* Ends the unit that is open, in front of a statement that cannot share it. */
static void end_before(struct grouping *g, struct grouping_step *out)
{
    out->commit_before = g->open != UNIT_NONE;
    g->open = UNIT_NONE;
}

static void send(struct grouping *g, struct grouping_step *out)
{
    out->send = true;
    g->in_unit++;
}

static void feed_ordinary(struct grouping *g, const struct statement *s, bool later_may_use,
                          struct grouping_step *out)
{
    if (s->online_step && !s->continues_step && g->open != UNIT_NONE)
        end_before(g, out);
    if (g->open == UNIT_NONE)
        open_unit(g, UNIT_OURS, out);
    send(g, out);
    /* A new enum value cannot be used in the transaction that adds it (55P04); a file that wants no
       transaction gets one for each statement, since that is what autocommit means. */
    bool is_split =
        g->mode == TRANSACTION_NONE || s->online_step || (s->new_enum_value && later_may_use);
    if (is_split && g->open == UNIT_OURS) {
        out->commit_after = !s->step_continues;
        g->open = s->step_continues ? g->open : UNIT_NONE;
    }
}

/* A unit of one statement, which says itself what is sent around it. */
static void feed_single(struct grouping *g, enum unit_kind kind, struct grouping_step *out)
{
    end_before(g, out);
    open_unit(g, kind, out);
    send(g, out);
    out->commit_after = true;
    g->open = UNIT_NONE;
}

static bool feed_alone(struct grouping *g, const struct statement *s, struct str path,
                       struct grouping_step *out, struct fail *f)
{
    if (g->open == UNIT_OWN) {
        fail_set(f, EXIT_FAILED, "%s cannot run inside the file's own transaction", s->kind);
        fail_at(f, path, s->line, s->column, (struct str){0});
        return fail_hint(f, "Put it behind the COMMIT, or in a file of its own.");
    }
    feed_single(g, UNIT_ALONE, out);
    return true;
}

static void feed_begin(struct grouping *g, struct grouping_step *out)
{
    if (g->open == UNIT_OWN) {
        out->warning = "BEGIN inside the file's own transaction is ignored";
        return;
    }
    end_before(g, out);
    open_unit(g, UNIT_OWN, out);
    send(g, out);
}

static void feed_commit(struct grouping *g, struct grouping_step *out)
{
    if (g->open == UNIT_NONE) {
        /* The first word of a file that expects a runner's transaction around it (drizzle). */
        if (g->unit > 0)
            out->warning = "COMMIT outside a transaction is ignored";
        return;
    }
    if (g->open == UNIT_OWN)
        send(g, out);
    out->commit_after = true;
    g->open = UNIT_NONE;
}

static void feed_rollback(struct grouping *g, struct grouping_step *out)
{
    if (g->open != UNIT_OWN) {
        out->warning = "ROLLBACK outside the file's own transaction is ignored";
        return;
    }
    out->rollback_after = true;
    g->open = UNIT_NONE;
}

static bool refuse(const struct statement *s, struct str path, struct fail *f)
{
    if (s->refused_because)
        fail_set(f, EXIT_FAILED, "%s", s->refused_because);
    else
        fail_set(f, EXIT_FAILED, "%s cannot be used in a migration",
                 s->kind[0] ? s->kind : "this statement");
    fail_at(f, path, s->line, s->column, (struct str){0});
    return fail_hint(f, "%s", s->refusal ? s->refusal : "Take it out.");
}

/* The author who asked for no transaction is believed where the text cannot tell: procedures that
   commit (CALL, DO), REINDEX of a partitioned table, what the parser does not know. */
static bool may_refuse_transaction(const struct statement *s)
{
    return !s->is_analysed || s->session == SESSION_PERHAPS ||
           str_starts(str_of(s->kind), STR("REINDEX"));
}

bool grouping_feed(struct grouping *g, const struct statement *s, bool later_may_use,
                   struct str path, struct grouping_step *out, struct fail *f)
{
    *out = (struct grouping_step){0};
    switch (s->role) {
    case ROLE_ORDINARY:
        if (s->sets_deferral && g->open == UNIT_NONE)
            return true; /* a transaction of its own would end what it asks for */
        if (g->mode == TRANSACTION_NONE && g->open == UNIT_NONE && may_refuse_transaction(s))
            return feed_alone(g, s, path, out, f);
        if (s->ranged)
            feed_single(g, UNIT_RANGES, out);
        else
            feed_ordinary(g, s, later_may_use, out);
        return true;
    case ROLE_ALONE:
        return feed_alone(g, s, path, out, f);
    case ROLE_BEGIN:
        feed_begin(g, out);
        return true;
    case ROLE_COMMIT:
        feed_commit(g, out);
        return true;
    case ROLE_ROLLBACK:
        feed_rollback(g, out);
        return true;
    case ROLE_REFUSED:
        return refuse(s, path, f);
    case ROLE_HOISTED:
        return true; /* the runner does it around the transaction */
    }
    BUG("a statement without a role");
}

/* Whether the value can be told from the texts at all: one with a quote is doubled there, and a backslash
   may spell anything. COPY data are not at hand. Another ADD VALUE, even BEFORE or AFTER the new value, is
   no use of it (55P04 comes from enum_in() and its like only). */
static bool may_mention(const struct statement *s, struct str value)
{
    if (s->new_enum_value)
        return false;
    return s->session == SESSION_PERHAPS || s->is_copy_from_stdin ||
           str_find_char(s->text, '\\') != SIZE_MAX || str_find(s->text, value) != SIZE_MAX;
}

bool grouping_mentions(const struct statement *at, size_t count, const char *value)
{
    bool is_plain = !strchr(value, '\'') && !strchr(value, '\\');
    for (size_t i = 0; i < count; i++) {
        if (!is_plain || may_mention(&at[i], str_of(value)))
            return true;
    }
    return false;
}
