/* See rules_history.h: rows without a check. */
#include "planner/rules_history.h"

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = RULE_EDITED,
                .level = HAZARD_BLOCK,
                .title = "a migration was changed after it was applied or merged",
                .why =
                    "It has run on databases, or will before this branch is "
                    "merged, and is not run "
                    "again: they keep what the old file made, new ones get "
                    "something else. An "
                    "apply refuses it where it has run. The same is true of "
                    "a file that was "
                    "renamed, renumbered or deleted. Found by `migrate plan "
                    "--base REF`, and by "
                    "`migrate status` against a target. An allow in the file, or a level in "
                    "migrator.yml, "
                    "speaks for the pull request; no word of anybody makes an apply run over it.",
                .fix = "Put the file back as it was, and write the change as a "
                       "new migration.",
                .example = "-- 0001_create_users.sql, merged long ago, says by now:\n"
                           "CREATE TABLE users (id bigint PRIMARY KEY);",
                .safe = "-- 0002_widen_users.sql\nALTER TABLE users ALTER "
                        "COLUMN id TYPE bigint;",
                .sources = "core/run/branch.c, core/run/reconcile.c",
            },
    },
    {
        .rule =
            {
                .id = RULE_DUPLICATE,
                .level = HAZARD_BLOCK,
                .title = "two migrations have one version",
                .why = "Two branches took the next number. Once both are "
                       "merged the directory is "
                       "refused, and which of them a database has is a matter "
                       "of chance. Found by "
                       "`migrate plan --base REF`.",
                .fix = "Give this file, which is not merged yet, the next free "
                       "version.",
                .example = "-- 0002_add_email.sql, while the base has "
                           "0002_add_phone.sql\n"
                           "ALTER TABLE users ADD COLUMN email text;",
                .safe = "-- 0003_add_email.sql\nALTER TABLE users ADD COLUMN "
                        "email text;",
                .sources = "core/run/branch.c, drivers/source/directory.c",
            },
    },
    {
        .rule =
            {
                .id = RULE_OUT_OF_ORDER,
                .level = HAZARD_WARN,
                .title = "a migration sorts before one that was applied or merged",
                .why = "Where the later one has run already this one runs "
                       "behind it, on a new "
                       "database in front of it: the outcome may differ. An "
                       "apply refuses it "
                       "unless --allow-out-of-order is said. Found by `migrate "
                       "plan --base REF`, and by "
                       "`migrate status` against a target.",
                .fix = "Give it the next free version.",
                .example = "-- 0002_add_email.sql, while the base has "
                           "0003_add_phone.sql\n"
                           "ALTER TABLE users ADD COLUMN email text;",
                .safe = "-- 0004_add_email.sql\nALTER TABLE users ADD COLUMN "
                        "email text;",
                .sources = "core/run/branch.c, core/run/reconcile.c",
            },
    },
};
const struct rule_table rules_of_files = {rows, ARRAY_LEN(rows)};

bool rule_is_about_files(struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_equal(id, str_of(rows[i].rule.id)))
            return true;
    }
    return false;
}
