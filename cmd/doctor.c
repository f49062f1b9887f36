/*
 * migrate doctor: what would stop the next apply, and what earlier ones left behind, a line for each check.
 * Only reads, without a lock, unless --clean --yes is given: see doctor_clean.c.
 */
#include "cmd/doctor.h"

#include "cmd/command.h"
#include "cmd/signals.h"
#include "cmd/terminal.h"
#include "core/base/json.h"
#include "core/run/run_lock.h"
#include "planner/planner.h"

#define CHECK_COLUMN 13

bool doctor_look(struct session *s, struct doctor *out, struct fail *f)
{
    SCOPED(fail) struct fail unread = FAIL_NONE;
    struct doctor_request request = {
        .driver = s->driver,
        .connection = s->connection,
        .server = &s->server,
        .history = &s->history,
        .dialect = dialect_for(s->url.engine),
        .apply_command = session_apply_command(s),
    };
    s->history = (struct history){0};
    if (!s->driver->read_history(s->arena, s->connection, &s->history, &unread)) {
        if (unread.kind != FAIL_SERVER) {
            *f = unread;
            unread = FAIL_NONE;
            return false;
        }
        s->history = (struct history){0};
        request.history_failure = arena_cstr(s->arena, str_of(unread.message));
    }
    return s->driver->identity(s->arena, s->connection, &s->server, f) &&
           doctor_run(s->arena, &request, out, f);
}

/* ---- text ---- */

static enum ink ink_of(enum gravity g)
{
    static const enum ink inks[] = {
        [GRAVITY_OK] = INK_GOOD,
        [GRAVITY_NOTE] = INK_PLAIN,
        [GRAVITY_WARNING] = INK_WARN,
        [GRAVITY_PROBLEM] = INK_BAD,
    };
    return inks[g];
}

static void print_diagnosis(const struct diagnosis *d)
{
    enum ink ink = ink_of(d->gravity);
    terminal_print("%s%-7s%s  %-*s  %s\n", ink_on(ink), gravity_name(d->gravity), ink_off(ink),
                   CHECK_COLUMN, check_name(d->check), d->text);
    if (d->advice[0])
        terminal_print("%*s%s\n", 7 + 2 + CHECK_COLUMN + 2, "", d->advice);
}

static void print_count(size_t count, const char *one)
{
    if (count)
        printf(", %zu %s%s", count, one, count == 1 ? "" : "s");
}

static void print_text(const struct session *s, const struct doctor *d, const struct cleaned *gone)
{
    for (size_t i = 0; i < d->found.count; i++)
        print_diagnosis(&d->found.at[i]);
    putchar('\n');
    terminal_print("%s: %zu ok", s->server.safe_url, d->counts[GRAVITY_OK]);
    print_count(d->counts[GRAVITY_NOTE], "note");
    print_count(d->counts[GRAVITY_WARNING], "warning");
    print_count(d->counts[GRAVITY_PROBLEM], "problem");
    print_count(gone->count, "leftover");
    puts(gone->count ? " removed" : "");
}

/* ---- JSON ---- */

static void print_json(const struct session *s, const struct doctor *d, const struct cleaned *gone)
{
    SCOPED(json) struct json *root = json_make_object();
    json_set_i64(root, "format", 1);
    json_set_cstr(root, "target", s->server.safe_url);
    for (enum gravity g = GRAVITY_OK; g <= GRAVITY_PROBLEM; g++)
        json_set_i64(root, gravity_name(g), (int64_t)d->counts[g]);
    struct json *checks = json_make_array();
    for (size_t i = 0; i < d->found.count; i++) {
        struct json *one = json_make_object();
        json_set_cstr(one, "check", check_name(d->found.at[i].check));
        json_set_cstr(one, "gravity", gravity_name(d->found.at[i].gravity));
        json_set_cstr(one, "text", d->found.at[i].text);
        json_set_cstr(one, "advice", d->found.at[i].advice[0] ? d->found.at[i].advice : NULL);
        json_push(checks, one);
    }
    json_set(root, "checks", checks);
    struct json *leftovers = json_make_array();
    for (size_t i = 0; i < d->leftovers.count; i++)
        json_push_str(leftovers, str_of(d->leftovers.at[i].of->text));
    json_set(root, "cleanable", leftovers);
    struct json *removed = json_make_array();
    for (size_t i = 0; i < gone->count; i++)
        json_push_str(removed, gone->at[i]);
    json_set(root, "removed", removed);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, root, true);
    puts(buf_cstr(&text));
}

/* ---- both ways ---- */

/* Under the run lock: what is removed was found while nobody else was at work. */
static bool look_and_clean(struct session *s, struct doctor *d, struct cleaned *gone,
                           struct fail *f)
{
    const struct options *o = s->options;
    int64_t wait_ms = o->wait_is_given ? o->wait_ms : SESSION_WAIT_MS;
    if (!session_read_history(s, f) || !session_require_direct(s, f) ||
        !run_lock_acquire(s->driver, s->connection, s->run, wait_ms, &stop_signal, f))
        return false;
    bool is_done = doctor_look(s, d, f) && doctor_clean(s, d, gone, f) &&
                   (!gone->count || doctor_look(s, d, f));
    s->driver->unlock(s->connection);
    return is_done;
}

static bool look(struct session *s, struct doctor *d, struct cleaned *gone, struct fail *f)
{
    if (s->options->clean && s->options->yes && s->driver->drop_invalid_index)
        return session_connect(s, false, f) && look_and_clean(s, d, gone, f);
    return session_connect(s, true, f) && doctor_look(s, d, f);
}

/* Without --yes nothing is removed, and a script that thinks otherwise must hear of it. */
static bool check_consent(const struct options *o, const struct doctor *d, struct fail *f)
{
    if (!o->clean || o->yes || !d->leftovers.count)
        return true;
    fail_set(f, EXIT_USAGE, "nothing was removed: --clean changes the database");
    SCOPED(buf) struct buf list = {0};
    for (size_t i = 0; i < d->leftovers.count; i++)
        buf_printf(&list, "%s%s;", i ? " " : "", d->leftovers.at[i].of->text);
    fail_detail(f, "It would run: %s", buf_cstr(&list));
    return fail_hint(f, "To have it done: migrate doctor --clean --yes.");
}

enum exit_code cmd_doctor(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    struct doctor d = {0};
    struct cleaned gone = {0};
    enum output_format format;
    if (o->yes && !o->clean) {
        fail_set(f, EXIT_USAGE, "--yes goes with --clean");
        fail_hint(f, "Without --clean nothing is changed, and there is nothing to agree to.");
        return f->code;
    }
    if (!session_format(o, &format, f) || !session_start(a, o, &s, f))
        return f->code;
    if (o->clean)
        signals_expect_run(true);
    if (look(&s, &d, &gone, f)) {
        if (format == FORMAT_JSON)
            print_json(&s, &d, &gone);
        else
            print_text(&s, &d, &gone);
        (void)check_consent(o, &d, f);
    }
    session_close(&s);
    if (fail_is_set(f))
        return f->code;
    if (d.is_record_broken)
        return EXIT_INTEGRITY;
    return d.counts[GRAVITY_PROBLEM] ? EXIT_FAILED : EXIT_DONE;
}
