/* Sessions in words: see blockers.h. */
#include "core/run/blockers.h"

#include "core/base/clock.h"
#include "core/base/text.h"

/* Of another's statement, which a message is not the place to read. */
#define QUERY_SHOWN_BYTES 200
/* Whose statements are shown; the message counts the others. */
#define BLOCKERS_SHOWN 3

/* "process 7 (role web), idle in transaction for 12 s" */
static const char *describe(struct arena *a, const struct lock_blocker *b)
{
    const char *since = b->open_us < 0 ? "" : clock_duration_text(a, b->open_us);

    return arena_printf(a, "%s%s%s%s%s", b->who, b->state ? ", " : "", b->state ? b->state : "",
                        *since ? ", its transaction open for " : "", since);
}

/* One line, without literals: they are the data of others. "" where nothing may be shown. */
static const char *harmless_query(struct arena *a, const struct dialect *dialect, struct str query)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    SCOPED(buf) struct buf line = {0};
    struct cut_result cut;
    struct cut_request request = {.window = str_of(arena_cstr(a, query)),
                                  .is_end = true,
                                  .line = 1,
                                  .column = 1,
                                  .path = STR("a statement of another session"),
                                  .wants_analysis = true};

    if (!query.len || !dialect->cut(a, &request, &cut, &ignored) || !cut.statements.count)
        return "";
    struct statement *s = &cut.statements.at[cut.statements.count - 1];
    if (!s->is_analysed) /* cut off by the server, or not SQL at all */
        return s->kind[0] ? arena_printf(a, "%s …", s->kind) : "";
    s->has_secret = true;
    struct str shown = dialect->redact(a, s);
    for (size_t i = 0; i < shown.len && line.len < QUERY_SHOWN_BYTES; i++) {
        bool is_space = char_is_space(shown.at[i]);
        if (!is_space || (line.len && buf_str(&line).at[line.len - 1] != ' '))
            buf_add_char(&line, is_space ? ' ' : shown.at[i]);
    }
    size_t len = line.len;
    bool is_cut = len >= QUERY_SHOWN_BYTES;
    while (is_cut && len && ((unsigned char)buf_str(&line).at[len - 1] & 0xC0) == 0x80)
        len--; /* whole characters */
    if (is_cut && len && ((unsigned char)buf_str(&line).at[len - 1] & 0x80))
        len--;
    return arena_printf(a, "%.*s%s", (int)len, buf_cstr(&line), is_cut ? "…" : "");
}

static void add_details(struct arena *a, const struct run_context *run,
                        const struct awaited_lock *seen, struct fail *f)
{
    if (seen->wanted)
        fail_detail(f, "It waited for %s.", seen->wanted);
    for (size_t i = 0; i < seen->count && i < BLOCKERS_SHOWN; i++) {
        const struct lock_blocker *b = &seen->at[i];
        const char *query = harmless_query(a, run->script->dialect, b->query);
        const char *who = describe(a, b); /* a sentence begins with a capital */
        fail_detail(
            f, "%c%s%s%s%s%s%s.", who[0] >= 'a' && who[0] <= 'z' ? who[0] - 'a' + 'A' : who[0],
            who + 1, b->holds ? ", holds " : "", b->holds ? b->holds : "",
            b->is_waiting ? ", waits for a lock itself" : "", *query ? ", statement: " : "", query);
    }
}

const char *blockers_text(struct arena *a, const struct awaited_lock *seen)
{
    const char *others = seen->count > 1 ? arena_printf(a, " and %zu more", seen->count - 1) : "";

    return arena_printf(a, "%s%s", describe(a, &seen->at[0]), others);
}

void blockers_tell(const struct run_context *run, const struct awaited_lock *seen, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();

    if (!seen->count) {
        if (seen->why_unseen)
            fail_detail(f, "Who held the lock was not seen: %s.", seen->why_unseen);
        return;
    }
    f->message = arena_printf(f->arena, "%s; in the way: %s", f->message, blockers_text(a, seen));
    add_details(a, run, seen, f);
}

void blockers_name(const struct run_context *run, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct awaited_lock seen = {0};

    if (f->kind != FAIL_LOCK_TIMEOUT || !run->driver->last_wait)
        return;
    run->driver->last_wait(a, run->connection, &seen);
    blockers_tell(run, &seen, f);
}
