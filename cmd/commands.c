/* THE table of commands. */
#include "cmd/command.h"

#include "core/base/text.h"

static const char *const apply_aliases[] = {"up", NULL};
static const char *const status_aliases[] = {"info", NULL};
static const char *const history_aliases[] = {"log", NULL};
static const char *const new_aliases[] = {"create", NULL};
static const char *const plan_aliases[] = {"lint", NULL};

static const struct command rows[] = {
    {"init", NULL, ON_INIT, "[DIR]", "start a project: migrator.yml and a migrations directory",
     "Writes a commented migrator.yml, the migrations directory and a .gitattributes that keeps "
     "the\n"
     "line ends of SQL files. Files that are there already are left as they are.",
     "migrate init\n", 0, 1, cmd_init},
    {"new", new_aliases, ON_NEW, "NAME", "write the next numbered migration file",
     "Makes an empty migration with the next version, in the layout of the directory, and prints "
     "its\n"
     "name. Its header shows the directives.",
     "migrate new \"add email to users\"\n", 1, 16, cmd_new},
    {"plan", plan_aliases, ON_PLAN, "[FILE…]", "show what is pending, statement by statement",
     "Reads what is pending (or the named files, or - for standard input) and shows for each "
     "statement\n"
     "its kind, whether it is additive or destructive, whether it runs in a transaction, and what\n"
     "can go wrong (`migrate explain` tells more). Exit 3 when the gate would refuse it: a hazard "
     "of\n"
     "level block that nobody has allowed, or something that could not be looked into. Writes "
     "nothing,\n"
     "but with --write: that writes the online forms as ordinary migration files instead of a "
     "plan.",
     "migrate plan --url postgres://localhost/shop --dir db/migrations\n"
     "migrate plan --url postgres://localhost/shop --dir db/migrations --write online\n"
     "migrate plan --offline --schema schema.sql --server-version 16 --format json 0042.sql\n",
     0, SIZE_MAX, cmd_plan},
    {"rehearse", NULL, ON_REHEARSE, "", "try the plan on a copy, and measure who would wait",
     "Makes a copy of the database (--copy, or rehearsal.copy in migrator.yml), runs what is "
     "pending "
     "there\n"
     "as apply would, and measures how long statements of an application would have waited, which "
     "locks\n"
     "were held and for how long, what was rewritten and written. The copy is taken away again; "
     "the\n"
     "target is only read. Exit 3 where policy.max_blocked, max_strong_lock or max_duration is "
     "exceeded,\n"
     "or the plan fails on the copy. PostgreSQL only.",
     "migrate rehearse -t production --copy dump:backups/latest.dump --out evidence.json\n"
     "migrate rehearse -t production --copy template:shop_template --server "
     "postgres://ada@spare/postgres\n",
     0, 0, cmd_rehearse},
    {"apply", apply_aliases, ON_APPLY, "", "run what is pending",
     "Runs pending migrations in order, each in its own transaction together with its history "
     "row.\n"
     "Statements that refuse a transaction run on their own, with an intent written ahead. Safe "
     "to\n"
     "kill at any moment and to run again.",
     "migrate apply --url sqlite:dev.db --dir db/migrations\n"
     "migrate apply -t production --to 0042\n",
     0, 0, cmd_apply},
    {"contract", NULL, ON_CONTRACT, "[VERSION]",
     "finish expanded migrations: take the old form away",
     "Some statements run in steps of which the last ones wait, until no application needs the old "
     "form\n"
     "any more (`migrate status` shows which, and from when on). This runs them: of VERSION, or of "
     "all\n"
     "migrations whose soak (policy.contract_after) is over, and whose old form nobody uses any "
     "more\n"
     "as far as the database tells. A change of type waits twice: the first call lets both columns "
     "change\n"
     "places, and with the next one the way back ends. Exit 3 when the soak is not over, or "
     "somebody "
     "uses\n"
     "it. Safe to kill at any moment and to run again.",
     "migrate contract 0042 -t production\n"
     "migrate contract 0042 --now --reason \"no release older than 41 runs, ticket 311\"\n",
     0, 1, cmd_contract},
    {"rollback", NULL, ON_ROLLBACK, "VERSION",
     "take a migration back: before its contract, or by its down file",
     "Undoes the steps of a migration that waits for its contract, or was cut off on its way "
     "there: the\n"
     "last one first. One that is applied as a whole is taken back by its down file, where it is "
     "the last\n"
     "one and has such a file. It is pending again then. Exit 3 where a step has no undo, or where "
     "something\n"
     "would be lost (--lossy). Safe to kill at any moment and to run again.",
     "migrate rollback 0042 -t production --reason \"release 42 is withdrawn\"\n", 1, 1,
     cmd_rollback},
    {"status", status_aliases, ON_STATUS, "", "what is applied, pending, changed, missing",
     "Compares the files with the history. Never locks, never writes. Exit 4 when an applied file "
     "was\n"
     "edited, deleted or renumbered, or a pending one is out of order.",
     "migrate status --exit-code\n", 0, 0, cmd_status},
    {"history", history_aliases, ON_HISTORY, "", "the audit trail",
     "Who changed what, when, from which commit. --verify recomputes the chain of events and "
     "compares\n"
     "rows and files; an edited or missing entry is named and the exit code is 4.",
     "migrate history --limit 20\n"
     "migrate history --verify --check-anchor \"$(cat anchor.txt)\"\n",
     0, 0, cmd_history},
    {"resolve", NULL, ON_RESOLVE, "[VERSION]", "settle a step whose outcome only a person can tell",
     "Shows what is known about a migration that was cut off, then records what you say about it:\n"
     "--applied (the step did happen; also for migrations written as code that you ran yourself) "
     "or\n"
     "--not-applied (it will be run again). The same for a migration whose row was removed from "
     "the\n"
     "history. --record accepts a history that somebody changed: what was found is kept in the "
     "event.",
     "migrate resolve 0042 --applied --reason \"checked by hand, ticket 311\"\n"
     "migrate resolve --record --reason \"duration of 0007 corrected by the DBA\"\n",
     0, 1, cmd_resolve},
    {"snapshot", NULL, ON_SNAPSHOT, "", "write a profile of the database, without its rows",
     "Writes what plan needs to know of a PostgreSQL database as JSON: its objects, sizes, row\n"
     "estimates, statistics, usage, settings and, where pg_stat_statements is installed, the texts "
     "of\n"
     "queries without their values. No rows. What a right is missing for is left out with a "
     "warning.\n"
     "`migrate plan --offline --snapshot FILE` reads it.",
     "migrate snapshot -t production --out production.json\n", 0, 0, cmd_snapshot},
    {"doctor", NULL, ON_DOCTOR, "", "what would stop an apply, and what earlier ones left behind",
     "Looks the database over, a line for each check: connection, rights, settings, old "
     "transactions,\n"
     "invalid indexes, constraints that are NOT VALID, half-detached partitions, the history, "
     "incomplete\n"
     "migrations, the run lock, sequences and more; on SQLite the file, its journal, foreign keys "
     "and\n"
     "integrity. Writes nothing. Exit 1 when there is a problem (an apply would fail, or data are "
     "at\n"
     "risk), 4 when the history is not whole; warnings alone end with 0. --clean shows which "
     "invalid\n"
     "indexes a migration left behind that nobody goes on with; with --yes it drops them, "
     "concurrently,\n"
     "with the run lock held and an entry in the history. Nothing else is ever removed.",
     "migrate doctor -t production\n"
     "migrate doctor --clean --yes -t production\n",
     0, 0, cmd_doctor},
    {"explain", NULL, ON_EXPLAIN, "[HAZARD]", "what a finding means, why, and what to do",
     "Shows a hazard: what happens, in which versions, what to do instead, an example of both, "
     "and\n"
     "where it is written. Without a name it lists all hazards with their levels: block (the gate\n"
     "refuses until it is rewritten, or allowed with a reason), warn, note, off (a note under\n"
     "--profile strict). Levels are set in migrator.yml, policy.hazards; one finding is allowed by "
     "a\n"
     "comment in front of its statement: -- migrate: allow <hazard> reason=\"…\".",
     "migrate explain set-not-null-scan\n"
     "migrate explain\n",
     0, 1, cmd_explain},
    {"completion", NULL, ON_COMPLETION, "bash|zsh|fish", "print a completion script",
     "Prints a script for the shell; source it, or install it where the shell looks.",
     "source <(migrate completion bash)\n", 1, 1, cmd_completion},
    {"help", NULL, ON_HELP, "[COMMAND|exit-codes]", "help on a command or topic",
     "Shows the help of a command, the exit codes, or the list of commands.",
     "migrate help apply\n", 0, 1, cmd_help},
    {"version", NULL, ON_VERSION, "", "versions of migrate and its libraries",
     "Shows the version of migrate and of every library, at build and at run time.",
     "migrate version --json\n", 0, 0, cmd_version},
};

const struct command *command_rows(size_t *out_count)
{
    *out_count = ARRAY_LEN(rows);
    return rows;
}

static bool has_alias(const struct command *c, const char *name)
{
    for (const char *const *alias = c->aliases; alias && *alias; alias++) {
        if (strcmp(*alias, name) == 0)
            return true;
    }
    return false;
}

const struct command *command_find(const char *name, struct fail *f)
{
    const char *best = NULL;
    size_t best_distance = strlen(name) / 3 + 2;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) == 0 || has_alias(&rows[i], name))
            return &rows[i];
        size_t distance = text_edit_distance(str_of(name), str_of(rows[i].name));
        if (distance < best_distance) {
            best_distance = distance;
            best = rows[i].name;
        }
    }
    fail_set(f, EXIT_USAGE, "there is no command \"%s\"", name);
    if (best)
        fail_hint(f, "Did you mean `migrate %s`?", best);
    else
        fail_hint(f, "`migrate help` lists the commands.");
    return NULL;
}
