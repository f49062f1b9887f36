/* From sightings to diagnoses: one function for each check, and one row each. */
#include "core/run/doctor.h"

#include "core/base/clock.h"
#include "core/base/vec.h"
#include "core/run/doctor_parts.h"
#include "core/run/verify.h"

#define OLD_AGE 1000000000       /* of 2^31: autovacuum does not keep up */
#define DANGEROUS_AGE 1600000000 /* the server warns, soon it refuses commands */
#define FULL_PERMILLE 800
#define LARGE_LOG_BYTES ((int64_t)64 << 20)

const char *gravity_name(enum gravity g)
{
    static const char *const names[] = {
        [GRAVITY_OK] = "ok",
        [GRAVITY_NOTE] = "note",
        [GRAVITY_WARNING] = "warning",
        [GRAVITY_PROBLEM] = "problem",
    };
    return names[g];
}

void doctor_say(struct doctor *d, enum check check, enum gravity gravity, const char *advice,
                const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *text = arena_vprintf(d->arena, format, values);
    va_end(values);
    d->counts[gravity]++;
    vec_push(d->arena, &d->found, ((struct diagnosis){check, gravity, text, advice}));
}

/* ---- one check each ---- */

typedef void judge_one(struct doctor *d, const struct sighting *o, const struct whose *whose);

static void judge_server(struct doctor *d, const struct sighting *o,
                         const struct whose *whose UNUSED)
{
    if (strcmp(o->state, "standby") == 0)
        doctor_say(d, CHECK_SERVER, GRAVITY_PROBLEM, "Give the URL of the primary.",
                   "version %s, a standby: nothing can be written", o->subject);
    else
        doctor_say(d, CHECK_SERVER, GRAVITY_OK, "", "version %s", o->subject);
}

static void judge_right(struct doctor *d, const struct sighting *o,
                        const struct whose *whose UNUSED)
{
    doctor_say(d, CHECK_RIGHTS, GRAVITY_PROBLEM, arena_printf(d->arena, "%s;", o->text),
               "the right %s on %s is missing: an apply fails", o->subject, o->owner);
}

static void judge_table(struct doctor *d, const struct sighting *o, const struct whose *whose)
{
    if (whose->label.len)
        doctor_say(
            d, CHECK_OWNERSHIP, GRAVITY_WARNING,
            "Run migrations as its owner, or as a member of that role.",
            "table %s belongs to %s, and migration %.*s speaks of it: this role cannot alter it",
            o->subject, o->owner, STR_ARG(whose->label));
}

static void judge_setting(struct doctor *d, const struct sighting *o,
                          const struct whose *whose UNUSED)
{
    doctor_judge_setting(d, o);
}

static void judge_transaction(struct doctor *d, const struct sighting *o,
                              const struct whose *whose UNUSED)
{
    if (strcmp(o->state, "unseen") == 0) {
        doctor_say(d, CHECK_TRANSACTIONS, GRAVITY_NOTE, "Grant the role pg_read_all_stats.",
                   "%lld sessions of other roles cannot be looked into", (long long)o->number);
        return;
    }
    const char *age = clock_duration_text(d->arena, o->number);
    if (strcmp(o->state, "prepared") == 0) {
        doctor_say(
            d, CHECK_TRANSACTIONS, GRAVITY_WARNING,
            arena_printf(d->arena, "It outlives a restart. COMMIT PREPARED, or %s;", o->text),
            "prepared transaction %s (%s) is open for %s: it holds its locks", o->subject, o->owner,
            age);
        return;
    }
    bool is_idle = strncmp(o->state, "idle", 4) == 0;
    doctor_say(
        d, CHECK_TRANSACTIONS, GRAVITY_WARNING,
        arena_printf(d->arena, "%s SELECT pg_terminate_backend(%s);",
                     is_idle ? "Its application forgot it; to end it:" : "Wait for it; or end it:",
                     o->subject),
        "process %s (%s) is %s, its transaction open for %s; %s: %s", o->subject, o->owner,
        o->state, age, is_idle ? "its last statement" : "it runs", o->text);
}

static void judge_index(struct doctor *d, const struct sighting *o, const struct whose *whose)
{
    if (strcmp(o->state, "being built") == 0) {
        doctor_say(d, CHECK_INDEXES, GRAVITY_NOTE, "", "index %s on %s is being built", o->subject,
                   o->owner);
        return;
    }
    if (whose->intent && whose->is_open) {
        doctor_say(d, CHECK_INDEXES, GRAVITY_WARNING,
                   "`migrate apply` drops it and builds it again.",
                   "index %s on %s is %s, left behind by %.*s, which is incomplete", o->subject,
                   o->owner, o->state, STR_ARG(whose->label));
        return;
    }
    if (whose->intent) {
        doctor_say(d, CHECK_INDEXES, GRAVITY_WARNING,
                   arena_printf(d->arena, "`migrate doctor --clean` removes it: %s;", o->text),
                   "index %s on %s is %s, left behind by %.*s (event %lld), which goes on no more",
                   o->subject, o->owner, o->state, STR_ARG(whose->label), (long long)whose->intent);
        vec_push(d->arena, &d->leftovers, ((struct leftover){o, whose->label, whose->intent}));
        return;
    }
    doctor_say(d, CHECK_INDEXES, GRAVITY_WARNING,
               arena_printf(d->arena, "If nobody is at work on it: %s;", o->text),
               "index %s on %s is %s, and no migration proves to have left it: no query uses it",
               o->subject, o->owner, o->state);
}

static void judge_constraint(struct doctor *d, const struct sighting *o, const struct whose *whose)
{
    if (whose->is_open)
        doctor_say(d, CHECK_CONSTRAINTS, GRAVITY_NOTE, "`migrate apply` goes on with it.",
                   "%s %s on %s is NOT VALID, a step of %.*s, which is incomplete", o->state,
                   o->subject, o->owner, STR_ARG(whose->label));
    else
        doctor_say(
            d, CHECK_CONSTRAINTS, GRAVITY_WARNING, arena_printf(d->arena, "%s;", o->text),
            "%s %s on %s is NOT VALID, and no open migration is at it: older rows may break it",
            o->state, o->subject, o->owner);
}

static void judge_partition(struct doctor *d, const struct sighting *o,
                            const struct whose *whose UNUSED)
{
    doctor_say(d, CHECK_PARTITIONS, GRAVITY_WARNING, arena_printf(d->arena, "%s;", o->text),
               "partition %s is half detached from %s: queries of the parent miss its rows",
               o->subject, o->owner);
}

static void judge_sequence(struct doctor *d, const struct sighting *o,
                           const struct whose *whose UNUSED)
{
    bool is_full = o->number >= FULL_PERMILLE;
    doctor_say(d, CHECK_SEQUENCES, is_full ? GRAVITY_PROBLEM : GRAVITY_WARNING,
               strcmp(o->state, "bigint") == 0 ? "Raise its MAXVALUE before INSERT fails."
                                               : "Change the column to bigint before INSERT fails.",
               "sequence %s%s%s%s has used %lld %% of %s: %s", o->subject, o->owner[0] ? " (" : "",
               o->owner, o->owner[0] ? ")" : "", (long long)(o->number / 10), o->state, o->text);
}

static void judge_age(struct doctor *d, const struct sighting *o, const struct whose *whose UNUSED)
{
    if (o->number < OLD_AGE)
        return;
    doctor_say(d, CHECK_WRAPAROUND, o->number >= DANGEROUS_AGE ? GRAVITY_PROBLEM : GRAVITY_WARNING,
               arena_printf(d->arena,
                            "Find what holds VACUUM back (old transactions, prepared ones, "
                            "replication slots), then VACUUM, %s first.",
                            o->owner),
               "the oldest rows of %s are %lld million %s old, of 2147 million", o->subject,
               (long long)(o->number / 1000000), o->state);
}

static void judge_holder(struct doctor *d, const struct sighting *o,
                         const struct whose *whose UNUSED)
{
    doctor_say(d, CHECK_RUN_LOCK, GRAVITY_NOTE, "An apply waits for it (--wait).", "held by %s%s%s",
               o->subject, o->text[0] ? ", at " : "", o->text);
}

static void judge_file(struct doctor *d, const struct sighting *o, const struct whose *whose UNUSED)
{
    if (!o->state[0])
        doctor_say(d, CHECK_FILE, GRAVITY_OK, "", "%s can be written", o->subject);
    else
        doctor_say(d, CHECK_FILE, GRAVITY_PROBLEM,
                   "Give this user the right to write the file and its directory.",
                   "%s cannot be written: %s", o->subject, o->state);
}

static void judge_journal(struct doctor *d, const struct sighting *o,
                          const struct whose *whose UNUSED)
{
    if (strcmp(o->subject, "off") == 0 || strcmp(o->subject, "memory") == 0)
        doctor_say(d, CHECK_JOURNAL, GRAVITY_WARNING,
                   "PRAGMA journal_mode = WAL; or DELETE, unless the data are disposable.",
                   "the journal mode is %s: a crash can destroy the file", o->subject);
    else if (o->number > LARGE_LOG_BYTES)
        doctor_say(d, CHECK_JOURNAL, GRAVITY_WARNING,
                   "End readers that stay open, then PRAGMA wal_checkpoint(TRUNCATE);",
                   "the write-ahead log has %lld MiB: a checkpoint is held up",
                   (long long)(o->number >> 20));
    else
        doctor_say(d, CHECK_JOURNAL, GRAVITY_OK, "", "%s%s", o->subject,
                   strcmp(o->subject, "wal") == 0 ? ""
                                                  : ": readers wait while a unit is committed");
}

static void judge_orphans(struct doctor *d, const struct sighting *o,
                          const struct whose *whose UNUSED)
{
    doctor_say(
        d, CHECK_FOREIGN_KEYS, GRAVITY_WARNING,
        arena_printf(d->arena, "PRAGMA foreign_key_check(\"%s\"); tells which rows.", o->subject),
        "%lld row%s of %s %s no parent in %s", (long long)o->number, o->number == 1 ? "" : "s",
        o->subject, o->number == 1 ? "has" : "have", o->owner);
}

static void judge_damage(struct doctor *d, const struct sighting *o,
                         const struct whose *whose UNUSED)
{
    doctor_say(d, CHECK_INTEGRITY, GRAVITY_PROBLEM,
               "Copy the file before anything else; REINDEX mends indexes, a backup the rest.",
               "%s", o->subject);
}

static void judge_copy(struct doctor *d, const struct sighting *o, const struct whose *whose UNUSED)
{
    doctor_say(d, CHECK_LEFTOVERS, GRAVITY_NOTE, "Look whether anybody still needs it.",
               "table %s looks like what a rebuild of %s by hand left behind", o->subject,
               o->owner);
}

/* fine: what is said where nothing was seen; NULL: nothing. */
static const struct judgement {
    judge_one *judge;
    const char *fine;
} judgements[CHECK_COUNT] = {
    [CHECK_SERVER] = {judge_server, NULL},
    [CHECK_RIGHTS] = {judge_right, "the history can be made and written"},
    [CHECK_OWNERSHIP] = {judge_table, "no migration speaks of a table of another role"},
    [CHECK_SETTINGS] = {judge_setting, NULL},
    [CHECK_TRANSACTIONS] = {judge_transaction, "none is open for more than a minute"},
    [CHECK_INDEXES] = {judge_index, "all are valid"},
    [CHECK_CONSTRAINTS] = {judge_constraint, "all are validated"},
    [CHECK_PARTITIONS] = {judge_partition, "none is half detached"},
    [CHECK_SEQUENCES] = {judge_sequence, "all have used less than half"},
    [CHECK_WRAPAROUND] = {judge_age, "far away"},
    [CHECK_RUN_LOCK] = {judge_holder, "free"},
    [CHECK_FILE] = {judge_file, NULL},
    [CHECK_JOURNAL] = {judge_journal, NULL},
    [CHECK_FOREIGN_KEYS] = {judge_orphans, "every row has its parent"},
    [CHECK_INTEGRITY] = {judge_damage, "nothing is damaged"},
    [CHECK_LEFTOVERS] = {judge_copy, "none"},
};

/* ---- the history ---- */

static bool judge_history(struct doctor *d, const struct doctor_request *r, struct fail *f)
{
    if (r->history_failure) {
        doctor_say(d, CHECK_HISTORY, GRAVITY_PROBLEM, "", "cannot be read: %s", r->history_failure);
        return true;
    }
    if (!r->history->exists) {
        doctor_say(d, CHECK_HISTORY, GRAVITY_OK, "", "none yet: the first apply makes it");
        return true;
    }
    struct verification v;
    if (!verification_run(d->arena, r->driver, r->connection, r->history, STR(""), &v, f))
        return false;
    for (size_t i = 0; i < v.findings.count; i++)
        doctor_say(d, CHECK_HISTORY, GRAVITY_PROBLEM,
                   "`migrate history --events` shows who did what; `migrate resolve` settles it.",
                   "%s", v.findings.at[i].text);
    d->is_record_broken = v.findings.count > 0;
    if (!v.findings.count)
        doctor_say(d, CHECK_HISTORY, GRAVITY_OK, "",
                   "whole: %lld event%s and %zu row%s prove each other", (long long)v.events,
                   v.events == 1 ? "" : "s", r->history->count, r->history->count == 1 ? "" : "s");
    return true;
}

static void judge_migrations(struct doctor *d, const struct doctor_request *r)
{
    size_t open = 0, applied = 0;
    for (size_t i = 0; i < r->history->count; i++) {
        const struct history_row *row = &r->history->at[i];
        applied += !str_equal(row->state, STR(HISTORY_ROLLED_BACK));
        if (str_equal(row->state, STR(HISTORY_EXPANDED)) ||
            str_equal(row->state, STR(HISTORY_SWITCHED)))
            doctor_say(d, CHECK_MIGRATIONS, GRAVITY_NOTE, "",
                       "%.*s (%.*s) is %.*s and waits for `migrate contract`",
                       STR_ARG(history_row_label(row)), STR_ARG(row->script), STR_ARG(row->state));
        bool is_cut_off = str_equal(row->state, STR(HISTORY_INCOMPLETE)) ||
                          str_equal(row->state, STR(HISTORY_ROLLING_BACK));
        if (!is_cut_off)
            continue;
        open++;
        bool is_going_back = str_equal(row->state, STR(HISTORY_ROLLING_BACK));
        doctor_say(d, CHECK_MIGRATIONS, GRAVITY_WARNING,
                   is_going_back ? "Continue with `migrate rollback`."
                                 : arena_printf(d->arena, "Continue with: %s", r->apply_command),
                   "%.*s (%.*s) is %.*s, %lld step%s done", STR_ARG(history_row_label(row)),
                   STR_ARG(row->script), STR_ARG(row->state), (long long)row->units_done,
                   row->units_done == 1 ? "" : "s");
    }
    if (!open && !r->history_failure)
        doctor_say(d, CHECK_MIGRATIONS, GRAVITY_OK, "", "%zu applied, none incomplete", applied);
}

/* ---- all together ---- */

static bool judge_pooler(struct doctor *d, const struct doctor_request *r, struct fail *f)
{
    SCOPED(fail) struct fail refusal = FAIL_NONE;
    if (r->driver->engine != ENGINE_POSTGRES)
        return true;
    if (r->driver->check_session(r->connection, &refusal)) {
        doctor_say(d, CHECK_POOLER, GRAVITY_OK, "", "the session is ours alone");
        return true;
    }
    if (refusal.code != EXIT_USAGE) {
        *f = refusal;
        refusal = FAIL_NONE;
        return false;
    }
    doctor_say(d, CHECK_POOLER, GRAVITY_PROBLEM, arena_cstr(d->arena, str_of(refusal.hint)), "%s",
               refusal.message);
    return true;
}

static void say_settings(struct doctor *d)
{
    const char *level = "", *senders = "";
    for (size_t i = 0; i < d->seen.count; i++) {
        const struct sighting *o = &d->seen.at[i];
        if (o->check == CHECK_SETTINGS && strcmp(o->subject, "wal_level") == 0)
            level = o->text;
        if (o->check == CHECK_SETTINGS && strcmp(o->subject, "max_wal_senders") == 0)
            senders = o->text;
    }
    doctor_say(d, CHECK_SETTINGS, GRAVITY_OK, "", "wal_level %s, max_wal_senders %s", level,
               senders);
}

static void judge_check(struct doctor *d, enum check check, const struct whose *whose)
{
    size_t before = d->found.count;
    if (!d->seen.is_made[check])
        return;
    if (d->seen.missed[check]) {
        doctor_say(d, check, GRAVITY_WARNING, "", "could not be looked into: %s",
                   d->seen.missed[check]);
        return;
    }
    for (size_t i = 0; i < d->seen.count; i++) {
        if (d->seen.at[i].check == check)
            judgements[check].judge(d, &d->seen.at[i], &whose[i]);
    }
    if (check == CHECK_SETTINGS)
        say_settings(d);
    else if (d->found.count == before && judgements[check].fine)
        doctor_say(d, check, GRAVITY_OK, "", "%s", judgements[check].fine);
}

bool doctor_run(struct arena *a, const struct doctor_request *request, struct doctor *out,
                struct fail *f)
{
    struct whose *whose;
    *out = (struct doctor){.arena = a};
    if (!request->driver->examine(a, request->connection, &out->seen, f) ||
        !doctor_read_owners(out, request, &whose, f))
        return false;
    for (enum check check = 0; check < CHECK_COUNT; check++) {
        if (check == CHECK_POOLER && !judge_pooler(out, request, f))
            return false;
        if (check == CHECK_HISTORY && !judge_history(out, request, f))
            return false;
        if (check == CHECK_MIGRATIONS)
            judge_migrations(out, request);
        judge_check(out, check, whose);
    }
    return true;
}
