/*
 * A dump into a database, by PostgreSQL's own programs: pg_restore for the formats custom, directory and
 * tar, psql for plain SQL. Roles that the server does not have are no obstacle to a rehearsal; any other
 * error means that the dump cannot be restored, which is the first thing to know about a backup.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/child.h"
#include "core/base/fs.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define JOBS_MAX 4
#define MAGIC "PGDMP" /* of the formats custom and, in toc.dat, directory: pg_backup_archiver.c */
#define TAR_FIRST "toc.dat"

enum dump_format { DUMP_PLAIN = 0, DUMP_CUSTOM, DUMP_DIRECTORY, DUMP_TAR };

static bool read_format(const char *path, enum dump_format *out, struct fail *f)
{
    struct byte_source source;
    char head[sizeof(TAR_FIRST)] = {0};
    size_t len = 0;
    if (fs_is_directory(path)) {
        *out = DUMP_DIRECTORY;
        return true;
    }
    if (!byte_source_open(path, &source, f))
        return fail_hint(f, "rehearsal.copy.dump (or --copy dump:FILE) names a dump of pg_dump.");
    bool is_read = byte_source_read(&source, 0, head, sizeof(head) - 1, &len, f);
    byte_source_close(&source);
    *out = strncmp(head, MAGIC, strlen(MAGIC)) == 0 ? DUMP_CUSTOM
           : strcmp(head, TAR_FIRST) == 0           ? DUMP_TAR
                                                    : DUMP_PLAIN;
    return is_read;
}

static const char *jobs(struct arena *a)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return arena_printf(a, "%ld", cores < 1 ? 1 : cores > JOBS_MAX ? JOBS_MAX : cores);
}

/* ---- plain SQL ---- */

/* psql leaves the copy where the file tells it to, and what is common to all databases of a server is no
   matter of a copy: `pg_dump --create`, pg_dumpall. "": nothing of the kind. */
static const char *leaves_copy(struct str line)
{
    static const struct {
        struct str begins;
        const char *what;
    } rows[] = {
        {{"\\connect", 8}, "\\connect"},
        {{"\\c ", 3}, "\\c"},
        {{"\\!", 2}, "\\!"},
        {{"CREATE DATABASE", 15}, "CREATE DATABASE"},
        {{"DROP DATABASE", 13}, "DROP DATABASE"},
        {{"ALTER DATABASE", 14}, "ALTER DATABASE"},
        {{"CREATE ROLE", 11}, "CREATE ROLE"},
        {{"ALTER ROLE", 10}, "ALTER ROLE"},
        {{"DROP ROLE", 9}, "DROP ROLE"},
        {{"CREATE TABLESPACE", 17}, "CREATE TABLESPACE"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_starts(line, rows[i].begins))
            return rows[i].what;
    }
    return "";
}

static bool check_plain(const char *path, struct fail *f)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    bool is_data = false;
    const char *found = "";
    uint32_t number = 0;
    if (!file)
        return fail_errno(f, EXIT_USAGE, "cannot read %s", path);
    for (ssize_t len; !*found && (len = getline(&line, &room, file)) >= 0;) {
        struct str text = str_trim((struct str){line, (size_t)len});
        number++;
        if (is_data) {
            is_data = !str_equal(text, STR("\\."));
            continue;
        }
        found = leaves_copy(text);
        is_data = str_starts(text, STR("COPY ")) && str_find(text, STR("FROM stdin")) != SIZE_MAX;
    }
    free(line);
    (void)fclose(file);
    if (!*found)
        return true;
    fail_set(f, EXIT_USAGE, "%s does not keep to one database: %s", path, found);
    fail_at(f, str_of(path), number, 1, (struct str){0});
    return fail_hint(f, "Dump it without --create, one database by itself: pg_dump -Fc is best.");
}

/* ---- what was said ---- */

/* Left out since a role is missing: no obstacle. */
static bool is_about_rights(struct str command)
{
    return str_starts(command, STR("GRANT ")) || str_starts(command, STR("REVOKE ")) ||
           str_starts(command, STR("ALTER DEFAULT PRIVILEGES ")) ||
           (str_starts(command, STR("ALTER ")) && str_find(command, STR(" OWNER TO ")) != SIZE_MAX);
}

static bool is_missing_role(struct str line)
{
    return str_find(line, STR("role \"")) != SIZE_MAX &&
           str_find(line, STR("does not exist")) != SIZE_MAX;
}

/* psql and pg_restore begin lines with their own names, and write the server's words behind them, in the
   server's language: what is no remark is an error. */
static bool is_error(struct str line)
{
    static const struct str remarks[] = {{"NOTICE:", 7},         {"WARNING:", 8},
                                         {"INFO:", 5},           {"warning:", 8},
                                         {"from TOC entry", 14}, {"while PROCESSING TOC", 20},
                                         {"Command was:", 12}};
    if (!str_starts(line, STR("psql:")) && !str_starts(line, STR("pg_restore:")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(remarks); i++) {
        if (str_find(line, remarks[i]) != SIZE_MAX)
            return false;
    }
    return true;
}

/* Counts the errors about roles; *out_other: the first one about something else. */
static int64_t sort_errors(struct str said, struct str *out_other)
{
    static const struct str command = {"Command was: ", 13};
    int64_t roles = 0;
    *out_other = (struct str){0};
    for (struct str line; said.len;) {
        said = str_cut_line(said, &line);
        if (!is_error(line))
            continue;
        struct str rest = said, next = {0};
        while (rest.len && !str_starts(next, command) && !is_error(next))
            rest = str_cut_line(rest, &next);
        bool has_command = str_starts(next, command); /* psql does not tell */
        bool is_role =
            is_missing_role(line) && (!has_command || is_about_rights(str_skip(next, command.len)));
        roles += is_role;
        if (!is_role && !out_other->len)
            *out_other = line;
    }
    return roles;
}

static bool fail_restore(const struct copy_request *r, const char *program, int status,
                         struct str said, struct str line, struct fail *f)
{
    fail_set(f, EXIT_FAILED, "%.*s cannot be restored: %s ended with %d", STR_ARG(r->source->from),
             program, status);
    fail_detail(f, "%.*s", STR_ARG(str_trim(line.len ? line : said)));
    return fail_hint(f, "A dump that cannot be restored is no backup: mend that first.");
}

bool pgdrv_restore(struct arena *a, const struct copy_request *r, const struct pgdrv_place *into,
                   int64_t *out_roles_missing, struct fail *f)
{
    const char *path = arena_cstr(a, r->source->from);
    enum dump_format format = DUMP_PLAIN;
    if (!read_format(path, &format, f))
        return false;
    const char *plain[] = {"psql", "-X", "-q", "-f", path, "-d", into->database, NULL};
    const char *tar[] = {"pg_restore", "--no-subscriptions", "-d", into->database, path, NULL};
    const char *archive[] = {"pg_restore", "--no-subscriptions", "-j", jobs(a),
                             "-d",         into->database,       path, NULL};
    const char *const *argv = format == DUMP_PLAIN ? plain : format == DUMP_TAR ? tar : archive;
    struct child child = {.argv = argv, .env = into->env, .stop_signal = r->stop_signal};
    int status;
    struct str said, other;
    if (format == DUMP_PLAIN && !check_plain(path, f))
        return false;
    if (!child_run(a, &child, &status, &said, f))
        return f->code == EXIT_USAGE
                   ? fail_hint(f, "Install PostgreSQL's programs (Debian: postgresql-client).")
                   : false;
    *out_roles_missing = sort_errors(said, &other);
    bool is_whole = said.len < CHILD_SAID_MAX_BYTES; /* what was cut off is not known */
    bool is_restored = !other.len && is_whole && (status == 0 || *out_roles_missing > 0);
    return is_restored || fail_restore(r, argv[0], status, said, other, f);
}

int64_t pgdrv_dump_time(struct str path)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct stat info;
    if (stat(arena_cstr(a, path), &info) != 0)
        return 0;
    return (int64_t)info.st_mtime * 1000000;
}
