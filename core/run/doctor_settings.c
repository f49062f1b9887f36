/*
 * Settings of the server and of the role. A run sets its own timeouts (session_start.sql of the driver), so
 * those of the role matter to everybody else: who waits without an end, who blocks without an end.
 * Meaning and units as in the chapter "Server Configuration" of PostgreSQL's manual.
 */
#include "core/run/doctor_parts.h"

#define SLOW_DEADLOCK_MS 5000

enum condition { IS_OFF, IS_ON, IS_ZERO, IS_SET, IS_LONG };

/* THE table of settings that are worth a word. */
static const struct setting_rule {
    const char *name;
    enum condition when;
    enum gravity gravity;
    const char *means;
    const char *advice;
} rules[] = {
    {"default_transaction_read_only", IS_ON, GRAVITY_PROBLEM, "every apply fails",
     "ALTER ROLE … RESET default_transaction_read_only, or of the database; or use another role."},
    {"fsync", IS_OFF, GRAVITY_WARNING, "a crash of the machine destroys the database",
     "Switch it on, unless the data are disposable."},
    {"track_activities", IS_OFF, GRAVITY_WARNING,
     "nobody can see who holds up whom, and a run cannot name who blocks it",
     "Switch it on for all roles."},
    {"synchronous_commit", IS_OFF, GRAVITY_NOTE,
     "a crash may lose commits that were reported; a run makes its own durable", ""},
    {"idle_in_transaction_session_timeout", IS_ZERO, GRAVITY_NOTE,
     "a transaction that somebody forgot holds its locks for ever",
     "Give the application's roles a limit, as 5min."},
    {"deadlock_timeout", IS_LONG, GRAVITY_NOTE, "deadlocks are found late, and everybody waits",
     "The default of 1s serves best."},
    {"lock_timeout", IS_SET, GRAVITY_NOTE, "a run sets its own (migrator.yml, locks.timeout)", ""},
    {"statement_timeout", IS_SET, GRAVITY_NOTE,
     "a run lifts it; a file sets its own with -- migrate: timeout statement=…", ""},
};

static bool holds(const struct sighting *o, enum condition when)
{
    switch (when) {
    case IS_OFF:
        return strcmp(o->text, "off") == 0;
    case IS_ON:
        return strcmp(o->text, "on") == 0;
    case IS_ZERO:
        return strcmp(o->text, "0") == 0;
    case IS_SET:
        return strcmp(o->text, "0") != 0;
    case IS_LONG:
        return o->number > SLOW_DEADLOCK_MS;
    }
    BUG("a condition that is not in the list");
}

void doctor_judge_setting(struct doctor *d, const struct sighting *o)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(o->subject, rules[i].name) == 0 && holds(o, rules[i].when))
            doctor_say(d, CHECK_SETTINGS, rules[i].gravity, rules[i].advice, "%s is %s (%s): %s",
                       o->subject, o->text, o->state, rules[i].means);
    }
}
