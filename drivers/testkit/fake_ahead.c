/*
 * The same database with commits that are not awaited: what comes between is kept, and done in its order
 * when the answer is taken, so that a fault may strike the commit as well as what follows it.
 */
#include "drivers/testkit/fake_parts.h"

static bool commit_ahead(struct connection *c, const struct journal_entries *entries,
                         void (*committed)(void *context), void *context, struct fail *f)
{
    (void)f;
    assert(!c->ahead_entries);
    c->ahead_entries = entries;
    c->committed = committed;
    c->committed_context = context;
    return true;
}

static bool await_commit(struct connection *c, struct fail *f)
{
    const struct journal_entries *entries = c->ahead_entries;
    c->ahead_entries = NULL;
    if (!entries)
        return true;
    if (!fake_driver()->commit(c, entries, NULL, f))
        return false;
    c->committed(c->committed_context);
    return true;
}

static bool begin(struct connection *c, const struct unit_options *options, struct fail *f)
{
    c->begins_later = c->ahead_entries != NULL;
    return c->begins_later || fake_driver()->begin(c, options, f);
}

static bool execute(struct connection *c, const struct statement *at, size_t count,
                    const struct copy_source *copy, struct statement_result *results,
                    size_t *out_done, size_t *out_offset, struct fail *f)
{
    static const struct unit_options options = {0};
    bool begins = c->begins_later;
    *out_done = 0;
    *out_offset = SIZE_MAX;
    c->begins_later = false;
    return await_commit(c, f) && (!begins || fake_driver()->begin(c, &options, f)) &&
           fake_driver()->execute(c, at, count, copy, results, out_done, out_offset, f);
}

/* What may not be asked while a commit is under way. */
static bool rollback(struct connection *c, struct fail *f)
{
    assert(!c->ahead_entries);
    c->begins_later = false;
    return fake_driver()->rollback(c, f);
}

static bool append(struct connection *c, const struct journal_entries *entries, bool is_durable,
                   struct fail *f)
{
    assert(!c->ahead_entries);
    return fake_driver()->append(c, entries, is_durable, f);
}

static bool commit(struct connection *c, const struct journal_entries *entries,
                   const struct statement *own_commit, struct fail *f)
{
    static const struct unit_options options = {0};
    assert(!c->ahead_entries);
    bool begins = c->begins_later; /* a unit that sent nothing */
    c->begins_later = false;
    return (!begins || fake_driver()->begin(c, &options, f)) &&
           fake_driver()->commit(c, entries, own_commit, f);
}

const struct driver *fake_driver_ahead(void)
{
    static struct driver driver;
    driver = *fake_driver();
    driver.begin = begin;
    driver.execute = execute;
    driver.commit = commit;
    driver.commit_ahead = commit_ahead;
    driver.await_commit = await_commit;
    driver.rollback = rollback;
    driver.append = append;
    return &driver;
}
