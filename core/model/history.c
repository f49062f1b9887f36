/*
 * Digests of history rows and events: netstrings of the fields in the order in which history.h
 * declares them. docs/history-format.md says the same for people who want to verify a chain
 * without us; change both or neither.
 */
#include "core/model/history.h"

/* Fields are gathered and digested in pieces: thousands of small additions would cost more than the
   digest itself. */
struct netstrings {
    struct digest_stream *digest;
    size_t len;
    char bytes[2048];
};

static void flush(struct netstrings *n)
{
    digest_add(n->digest, (struct str){.at = n->bytes, .len = n->len});
    n->len = 0;
}

static void add_bytes(struct netstrings *n, const char *at, size_t len)
{
    if (len > sizeof(n->bytes) - n->len)
        flush(n);
    if (len > sizeof(n->bytes)) {
        digest_add(n->digest, (struct str){.at = at, .len = len});
        return;
    }
    if (len)
        memcpy(n->bytes + n->len, at, len);
    n->len += len;
}

/* Decimal, from the last digit; returns where it begins. */
static char *print_number(char *end, int64_t number)
{
    uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do {
        *--end = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0)
        *--end = '-';
    return end;
}

/* "5:hello,": the length in front makes it impossible to move bytes from one field to the next. */
static void add_text(struct netstrings *n, struct str text)
{
    char head[24];
    char *end = head + sizeof(head);
    *--end = ':';
    char *at = print_number(end, (int64_t)text.len);
    add_bytes(n, at, (size_t)(head + sizeof(head) - at));
    add_bytes(n, text.at, text.len);
    add_bytes(n, ",", 1);
}

static void add_number(struct netstrings *n, int64_t number)
{
    char text[24];
    char *end = text + sizeof(text);
    char *at = print_number(end, number);
    add_text(n, (struct str){.at = at, .len = (size_t)(end - at)});
}

static struct digest finish(struct netstrings *n)
{
    flush(n);
    return digest_finish(n->digest);
}

struct digest history_row_digest(const struct history_row *r)
{
    struct netstrings n;
    n.digest = digest_start();
    n.len = 0;
    add_number(&n, r->rank);
    add_text(&n, r->version);
    add_text(&n, r->description);
    add_text(&n, r->kind);
    add_text(&n, r->layout);
    add_text(&n, r->script);
    add_text(&n, r->state);
    add_number(&n, r->units_done);
    add_number(&n, r->statements);
    add_text(&n, r->digest_raw);
    add_text(&n, r->digest_normalized);
    add_text(&n, r->digest_tree);
    add_text(&n, r->installed_by);
    add_text(&n, r->installed_at);
    add_number(&n, r->duration_us);
    add_text(&n, r->run);
    return finish(&n);
}

struct digest event_digest(const struct event *e)
{
    struct netstrings n;
    n.digest = digest_start();
    n.len = 0;
    add_number(&n, e->id);
    add_text(&n, e->run);
    add_text(&n, e->at);
    add_text(&n, e->kind);
    add_text(&n, e->version);
    add_number(&n, e->unit);
    add_text(&n, e->actor);
    add_text(&n, e->db_role);
    add_text(&n, e->host);
    add_text(&n, e->git_commit);
    add_text(&n, e->git_author);
    add_text(&n, e->plan_digest);
    add_text(&n, e->evidence_digest);
    add_text(&n, e->sql);
    add_number(&n, e->duration_us);
    add_number(&n, e->lock_wait_us);
    add_number(&n, e->rows);
    add_text(&n, e->sqlstate);
    add_text(&n, e->detail);
    add_text(&n, e->previous);
    return finish(&n);
}
