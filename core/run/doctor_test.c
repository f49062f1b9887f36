/* What doctor says of sightings that no test makes on a server in a moment: old transactions, wraparound, a
   standby, settings of the whole server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/run/doctor.h"

static struct sighting given;

static bool examine(struct arena *a, struct connection *c UNUSED, struct examination *out,
                    struct fail *f UNUSED)
{
    *out = (struct examination){0};
    out->is_made[given.check] = true;
    vec_push(a, out, given);
    return true;
}

static bool check_session(struct connection *c UNUSED, struct fail *f UNUSED)
{
    return true;
}

/* The diagnosis of the one check that was made; the first that is no "ok". */
static void assert_said(const struct sighting *s, enum gravity gravity, const char *text,
                        const char *advice)
{
    static const struct driver driver = {
        .engine = ENGINE_POSTGRES,
        .examine = examine,
        .check_session = check_session,
    };
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail f = FAIL_NONE;
    struct history none = {0};
    struct doctor_request request = {.driver = &driver, .history = &none, .apply_command = ""};
    struct doctor d;
    given = *s;
    assert_true(doctor_run(a, &request, &d, &f));
    const struct diagnosis *said = NULL;
    for (size_t i = 0; i < d.found.count; i++) {
        if (d.found.at[i].check == s->check && (!said || said->gravity == GRAVITY_OK))
            said = &d.found.at[i];
    }
    assert_non_null(said);
    assert_int_equal(said->gravity, gravity);
    assert_string_equal(said->text, text);
    assert_string_equal(said->advice, advice);
    assert_int_equal(d.counts[gravity] > 0, 1);
}

static void transactions(void **state UNUSED)
{
    assert_said(&(struct sighting){CHECK_TRANSACTIONS, "4711", "role app, application web",
                                   "idle in transaction", "SELECT 1", 754000000, "", "", "", false},
                GRAVITY_WARNING,
                "process 4711 (role app, application web) is idle in transaction, its transaction "
                "open for 12 min 34 s; its last statement: SELECT 1",
                "Its application forgot it; to end it: SELECT pg_terminate_backend(4711);");
    assert_said(
        &(struct sighting){CHECK_TRANSACTIONS, "4712", "role report", "active", "SELECT 2",
                           61000000, "", "", "", false},
        GRAVITY_WARNING,
        "process 4712 (role report) is active, its transaction open for 1 min 01 s; it runs: "
        "SELECT 2",
        "Wait for it; or end it: SELECT pg_terminate_backend(4712);");
    assert_said(&(struct sighting){CHECK_TRANSACTIONS, "'two'", "role app", "prepared",
                                   "ROLLBACK PREPARED 'two'", 61000000, "", "", "", false},
                GRAVITY_WARNING,
                "prepared transaction 'two' (role app) is open for 1 min 01 s: it holds its locks",
                "It outlives a restart. COMMIT PREPARED, or ROLLBACK PREPARED 'two';");
    assert_said(&(struct sighting){CHECK_TRANSACTIONS, "", "", "unseen", "", 3, "", "", "", false},
                GRAVITY_NOTE, "3 sessions of other roles cannot be looked into",
                "Grant the role pg_read_all_stats.");
}

static void wraparound(void **state UNUSED)
{
    struct sighting s = {
        CHECK_WRAPAROUND, "shop", "orders", "transactions", "", 999999999, "", "", "", false};
    const char *advice =
        "Find what holds VACUUM back (old transactions, prepared ones, replication "
        "slots), then VACUUM, orders first.";
    assert_said(&s, GRAVITY_OK, "far away", "");
    s.number = 1000000000;
    assert_said(&s, GRAVITY_WARNING,
                "the oldest rows of shop are 1000 million transactions old, of 2147 million",
                advice);
    s.number = 1600000000;
    assert_said(&s, GRAVITY_PROBLEM,
                "the oldest rows of shop are 1600 million transactions old, of 2147 million",
                advice);
}

static void a_standby(void **state UNUSED)
{
    assert_said(&(struct sighting){CHECK_SERVER, "15.4", "", "standby", "", 0, "", "", "", false},
                GRAVITY_PROBLEM, "version 15.4, a standby: nothing can be written",
                "Give the URL of the primary.");
    assert_said(&(struct sighting){CHECK_SERVER, "15.4", "", "primary", "", 0, "", "", "", false},
                GRAVITY_OK, "version 15.4", "");
}

static void settings(void **state UNUSED)
{
    static const struct {
        const char *name, *value;
        int64_t ms;
        enum gravity gravity;
        const char *text;
    } cases[] = {
        {"track_activities", "off", 0, GRAVITY_WARNING,
         "track_activities is off (role): nobody can see who holds up whom, and a run cannot name "
         "who "
         "blocks it"},
        {"track_activities", "on", 0, GRAVITY_OK, "wal_level , max_wal_senders "},
        {"deadlock_timeout", "5000 ms", 5000, GRAVITY_OK, "wal_level , max_wal_senders "},
        {"deadlock_timeout", "60000 ms", 60000, GRAVITY_NOTE,
         "deadlock_timeout is 60000 ms (role): deadlocks are found late, and everybody waits"},
        {"synchronous_commit", "off", 0, GRAVITY_NOTE,
         "synchronous_commit is off (role): a crash may lose commits that were reported; a run "
         "makes "
         "its own durable"},
        {"wal_level", "minimal", 0, GRAVITY_OK, "wal_level minimal, max_wal_senders "},
    };
    static const char *const advices[] = {"Switch it on for all roles.",    "", "",
                                          "The default of 1s serves best.", "", ""};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_said(&(struct sighting){CHECK_SETTINGS, cases[i].name, "", "role", cases[i].value,
                                       cases[i].ms, "", "", "", false},
                    cases[i].gravity, cases[i].text, advices[i]);
}

static void locks_and_journals(void **state UNUSED)
{
    assert_said(
        &(struct sighting){CHECK_RUN_LOCK, "migrate run=1", "", "", "0042", 0, "", "", "", false},
        GRAVITY_NOTE, "held by migrate run=1, at 0042", "An apply waits for it (--wait).");
    assert_said(&(struct sighting){CHECK_JOURNAL, "off", "", "", "", 0, "", "", "", false},
                GRAVITY_WARNING, "the journal mode is off: a crash can destroy the file",
                "PRAGMA journal_mode = WAL; or DELETE, unless the data are disposable.");
    assert_said(
        &(struct sighting){CHECK_JOURNAL, "wal", "", "", "", (int64_t)65 << 20, "", "", "", false},
        GRAVITY_WARNING, "the write-ahead log has 65 MiB: a checkpoint is held up",
        "End readers that stay open, then PRAGMA wal_checkpoint(TRUNCATE);");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transactions),       cmocka_unit_test(wraparound),
        cmocka_unit_test(a_standby),          cmocka_unit_test(settings),
        cmocka_unit_test(locks_and_journals),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
