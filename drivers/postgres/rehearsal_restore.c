/*
 * A dump into a database, by PostgreSQL's own programs: pg_restore for the formats custom, directory and
 * tar, psql for plain SQL. Roles that the server does not have are no obstacle to a rehearsal; any other
 * error means that the dump cannot be restored, which is the first thing to know about a backup.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/child.h"
#include "core/base/fs.h"

#include <sys/stat.h>
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

/* Counts the errors about roles; *out_other: the first one about something else. */
static int64_t sort_errors(struct str said, struct str *out_other)
{
    int64_t roles = 0;
    *out_other = (struct str){0};
    for (struct str line; said.len;) {
        said = str_cut_line(said, &line);
        if (str_find(line, STR("ERROR:")) == SIZE_MAX && str_find(line, STR("FATAL:")) == SIZE_MAX)
            continue;
        bool is_role = str_find(line, STR("role \"")) != SIZE_MAX &&
                       str_find(line, STR("does not exist")) != SIZE_MAX;
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
    const char *tar[] = {"pg_restore", "-d", into->database, path, NULL};
    const char *archive[] = {"pg_restore", "-j", jobs(a), "-d", into->database, path, NULL};
    const char *const *argv = format == DUMP_PLAIN ? plain : format == DUMP_TAR ? tar : archive;
    struct child child = {.argv = argv, .env = into->env, .stop_signal = r->stop_signal};
    int status;
    struct str said, other;
    if (!child_run(a, &child, &status, &said, f))
        return fail_hint(f, "Install PostgreSQL's programs (Debian: postgresql-client).");
    *out_roles_missing = sort_errors(said, &other);
    bool is_restored = !other.len && (status == 0 || *out_roles_missing > 0);
    return is_restored || fail_restore(r, argv[0], status, said, other, f);
}

int64_t pgdrv_dump_time(struct str path)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct stat info;
    /* pg_dump writes the file while it reads a snapshot of when it began; the file's time is its end. */
    if (stat(arena_cstr(a, path), &info) != 0)
        return 0;
    return (int64_t)info.st_mtime * 1000000;
}
