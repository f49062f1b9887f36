/* The exit codes of DESIGN part 2, as data. */
#include "core/base/exit.h"

static const struct exit_code_row rows[] = {
    {EXIT_DONE, "done", "done, or nothing to do", "go on"},
    {EXIT_FAILED, "failed", "failed; the target is unchanged", "mend the cause and run again"},
    {EXIT_USAGE, "usage", "wrong usage or configuration", "mend the call"},
    {EXIT_REFUSED, "refused", "the gate refused",
     "do what the message names, or drop the migration"},
    {EXIT_INTEGRITY, "integrity",
     "integrity: a checksum, the order, a missing file, a stale plan, the wrong database",
     "stop and look: `migrate status`"},
    {EXIT_INCOMPLETE, "incomplete", "the target is changed but the run is incomplete",
     "page someone: the message says what is left and how to continue"},
    {EXIT_BUSY, "busy", "busy: another run, a lock, or no connection",
     "run again later; it is safe"},
    {EXIT_PENDING, "pending", "with --exit-code: something is pending", "as you decide"},
    {EXIT_BUG, "bug", "a bug in migrate", "report it"},
    {EXIT_SIGINT, "interrupted", "stopped by SIGINT; the state is printed", "run again when ready"},
    {EXIT_SIGTERM, "terminated", "stopped by SIGTERM; the state is printed",
     "run again when ready"},
};

const struct exit_code_row *exit_code_rows(size_t *out_count)
{
    *out_count = ARRAY_LEN(rows);
    return rows;
}

const char *exit_code_name(enum exit_code code)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].code == code)
            return rows[i].name;
    }
    BUG("an exit code that is not in the table");
}
