/*
 * A private server for copies: its own directory, reached by a socket in it and by nothing else. Its
 * settings are the defaults of initdb, so that it waits for the disk as a production server does.
 */
#include "drivers/postgres/rehearsal.h"

#include "core/base/child.h"
#include "core/base/fs.h"

#include <errno.h>
#include <ftw.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVERS "/usr/lib/postgresql"
/* The server refuses root (src/backend/main/main.c); Debian's package makes this user. */
#define SERVER_USER "postgres"
#define REMOVE_OPEN_FILES 16

static bool has_programs(struct arena *a, const char *directory)
{
    return access(fs_join(a, str_of(directory), STR("initdb")), X_OK) == 0 &&
           access(fs_join(a, str_of(directory), STR("pg_ctl")), X_OK) == 0;
}

static const char *newest_programs(struct arena *a)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    struct fs_entries entries = {0};
    const char *found = NULL;
    int64_t newest = 0, major;
    if (!fs_list(a, SERVERS, &entries, &ignored))
        return NULL;
    for (size_t i = 0; i < entries.count; i++) {
        const char *bin = arena_printf(a, SERVERS "/%.*s/bin", STR_ARG(entries.at[i].name));
        if (str_to_i64(entries.at[i].name, &major) && major > newest && has_programs(a, bin)) {
            newest = major;
            found = bin;
        }
    }
    return found;
}

const char *pgdrv_server_programs(struct arena *a, uint32_t version)
{
    const char *wanted = getenv("PG_BIN");
    if (wanted && wanted[0])
        return has_programs(a, wanted) ? wanted : NULL;
    const char *same = arena_printf(a, SERVERS "/%u/bin", version / 10000);
    return has_programs(a, same) ? same : newest_programs(a);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    (void)remove(path);
    return 0;
}

static bool run(struct arena *a, const struct copy_request *r, const char *const *argv,
                const char *what, struct fail *f)
{
    struct child child = {
        .argv = argv, .user = SERVER_USER, .stop_signal = r ? r->stop_signal : NULL};
    int status;
    struct str said;
    if (!child_run(a, &child, &status, &said, f))
        return false;
    if (status == 0)
        return true;
    fail_set(f, EXIT_FAILED, "the private server cannot be %s (%s ended with %d)", what, argv[0],
             status);
    return fail_detail(f, "%.*s", STR_ARG(str_trim(said)));
}

static bool make_directory(struct arena *a, const char **out, struct fail *f)
{
    const char *parent = getenv("TMPDIR");
    char *path =
        arena_printf(a, "%s/migrate-rehearsal-XXXXXX", parent && parent[0] ? parent : "/tmp");
    struct passwd entry, *found = NULL;
    char *room = arena_alloc(a, 4096);
    if (!mkdtemp(path))
        return fail_errno(f, EXIT_FAILED, "cannot make a directory for the private server: %s",
                          path);
    *out = path;
    if (geteuid() != 0)
        return true;
    if (getpwnam_r(SERVER_USER, &entry, room, 4096, &found) != 0 || !found) {
        fail_set(f, EXIT_USAGE,
                 "a PostgreSQL server does not run as root, and there is no user "
                 "%s",
                 SERVER_USER);
        return fail_hint(f, "Run it as another user, or name a server: rehearsal.server.");
    }
    if (chown(path, found->pw_uid, found->pw_gid) != 0)
        return fail_errno(f, EXIT_FAILED, "cannot give %s to %s", path, SERVER_USER);
    return true;
}

static bool start(struct arena *a, const struct copy_request *r, struct pgdrv_private_server *s,
                  struct fail *f)
{
    const char *data = fs_join(a, str_of(s->directory), STR("data"));
    const char *initdb[] = {fs_join(a, str_of(s->bin), STR("initdb")),
                            "-D",
                            data,
                            "-U",
                            SERVER_USER,
                            "-A",
                            "trust",
                            "-E",
                            "UTF8",
                            "--locale=C",
                            NULL};
    /* Nothing is listened to but the socket; the directory lets nobody else in. */
    const char *options = arena_printf(a,
                                       "-c listen_addresses= -c unix_socket_directories=%s "
                                       "-c port=5432 -c max_wal_size=4GB",
                                       s->directory);
    const char *pg_ctl[] = {
        fs_join(a, str_of(s->bin), STR("pg_ctl")),           "-D", data,    "-w",    "-l",
        fs_join(a, str_of(s->directory), STR("server.log")), "-o", options, "start", NULL};
    s->url = arena_printf(a, "host=%s port=5432 user=%s", s->directory, SERVER_USER);
    return run(a, r, initdb, "made", f) && run(a, r, pg_ctl, "started", f);
}

bool pgdrv_private_start(struct arena *a, const struct copy_request *r,
                         struct pgdrv_private_server *out, struct fail *f)
{
    *out = (struct pgdrv_private_server){.bin = pgdrv_server_programs(a, r->server_version)};
    if (!out->bin) {
        fail_set(f, EXIT_USAGE,
                 "there is no PostgreSQL server here that a private one could be "
                 "started of");
        return fail_hint(f,
                         "Install one (Debian: postgresql), set PG_BIN to its programs, or name a "
                         "running server: rehearsal.server.");
    }
    bool is_started = make_directory(a, &out->directory, f) && start(a, r, out, f);
    if (!is_started && out->directory)
        pgdrv_private_stop(out);
    return is_started;
}

void pgdrv_private_stop(const struct pgdrv_private_server *s)
{
    SCOPED(arena) struct arena *a = arena_make();
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    const char *pg_ctl[] = {fs_join(a, str_of(s->bin), STR("pg_ctl")),
                            "-D",
                            fs_join(a, str_of(s->directory), STR("data")),
                            "-w",
                            "-m",
                            "immediate",
                            "stop",
                            NULL};
    (void)!run(a, NULL, pg_ctl, "stopped", &ignored);
    (void)nftw(s->directory, remove_entry, REMOVE_OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}
