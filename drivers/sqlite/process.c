/*
 * Processes as Linux shows them in /proc. A number alone proves nothing, since numbers are given
 * out again; number, start time (in ticks since boot), boot and namespace together name one process
 * for ever (proc(5)). Where there is no /proc every answer is "not known", and nothing rests on it:
 * the database's own write lock keeps two runs apart.
 */
#include "drivers/sqlite/connection.h"

#include "core/base/fs.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Files of /proc have no size: read until nothing more comes. The empty str where that fails. */
static struct str read_proc(struct arena *a, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return STR("");
    SCOPED(buf) struct buf text = {.max = 1 << 20};
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof(piece))) > 0)
        buf_add(&text, piece, (size_t)got);
    (void)close(fd);
    return buf_done(a, &text);
}

/* Start time and state from /proc/<pid>/stat. The name in brackets may hold anything, so fields are
   counted from the last bracket: state is the 3rd, start time the 22nd. */
static bool read_start(struct arena *a, int64_t pid, struct str *out_ticks, char *out_state)
{
    struct str rest = read_proc(a, arena_printf(a, "/proc/%lld/stat", (long long)pid));
    size_t bracket = SIZE_MAX;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == ')')
            bracket = i;
    }
    if (bracket == SIZE_MAX || bracket + 2 >= rest.len)
        return false;
    rest = str_skip(rest, bracket + 2);
    *out_state = rest.at[0];
    for (int field = 3; field <= 22; field++)
        rest = str_cut(rest, ' ', out_ticks);
    return out_ticks->len > 0;
}

static struct str read_link(struct arena *a, const char *path)
{
    char text[128];
    ssize_t len = readlink(path, text, sizeof(text));
    return len > 0 ? arena_str(a, (struct str){text, (size_t)len}) : STR("");
}

/* "<boot> <namespace>": equal texts see the same processes under the same numbers. */
static const char *read_scope(struct arena *a)
{
    struct str boot = str_trim(read_proc(a, "/proc/sys/kernel/random/boot_id"));
    struct str space = read_link(a, "/proc/self/ns/pid");
    return arena_printf(a, "%.*s %.*s", STR_ARG(boot), STR_ARG(space));
}

const char *sqlite_process_identity(struct arena *a)
{
    struct str ticks = STR("");
    char state;
    if (!read_start(a, getpid(), &ticks, &state))
        return "";
    return arena_printf(a, "%s %.*s", read_scope(a), STR_ARG(ticks));
}

enum process_answer sqlite_process_ask(int64_t pid, struct str identity)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct str own = str_of(sqlite_process_identity(a));
    struct str scope = str_of(read_scope(a));
    if (own.len == 0 || pid <= 0 || !str_starts(identity, scope))
        return PROCESS_UNKNOWN;
    struct str ticks = STR("");
    char state;
    if (!read_start(a, pid, &ticks, &state))
        return PROCESS_IS_GONE;
    const char *there = arena_printf(a, "%s %.*s", (const char *)scope.at, STR_ARG(ticks));
    /* A zombie has ended; only its parent has not asked yet. */
    bool runs = str_equal(identity, str_of(there)) && state != 'Z' && state != 'X';
    return runs ? PROCESS_RUNS : PROCESS_IS_GONE;
}

const char *sqlite_host_name(struct arena *a)
{
    char name[256];
    if (gethostname(name, sizeof(name)) != 0)
        return "";
    name[sizeof(name) - 1] = '\0';
    return arena_cstr(a, str_of(name));
}

const char *sqlite_user_name(struct arena *a)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char texts[4096];
    if (getpwuid_r(geteuid(), &entry, texts, sizeof(texts), &found) == 0 && found)
        return arena_cstr(a, str_of(found->pw_name));
    return arena_printf(a, "uid %u", (unsigned)geteuid());
}

/* ---- who holds a lock on a file ---- */

/* The next word of a line; words are separated by blanks. */
static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    struct str word;
    *rest = str_cut(*rest, ' ', &word);
    return word;
}

/* One line of /proc/locks: "1: POSIX  ADVISORY  WRITE 4711 fe:01:1234 1073741825 1073741825".
   Returns the process when it is another one's lock on that file, else 0. Lines of waiters have
   "->" as their second word. */
static int64_t holder_in_line(struct str line, const char *file, bool *out_writes)
{
    int64_t pid;
    (void)next_word(&line);
    if (!str_equal(next_word(&line), STR("POSIX")))
        return 0;
    (void)next_word(&line);
    *out_writes = str_equal(next_word(&line), STR("WRITE"));
    if (!str_to_i64(next_word(&line), &pid) || pid == getpid())
        return 0;
    return str_equal(next_word(&line), str_of(file)) ? pid : 0;
}

/* Writers keep others out; of several holders they are the one to name. */
static int64_t find_holder(struct arena *a, const char *path, struct str locks, bool *out_writes)
{
    struct stat st;
    int64_t holder = 0;
    if (stat(path, &st) != 0)
        return 0;
    const char *file = arena_printf(a, "%02x:%02x:%llu", major(st.st_dev), minor(st.st_dev),
                                    (unsigned long long)st.st_ino);
    while (locks.len > 0) {
        struct str line;
        bool writes = false;
        locks = str_cut_line(locks, &line);
        int64_t pid = holder_in_line(line, file, &writes);
        if (pid > 0 && (!holder || writes)) {
            holder = pid;
            *out_writes = writes;
        }
    }
    return holder;
}

const char *sqlite_lock_owner(struct arena *a, const char *path)
{
    struct str locks = read_proc(a, "/proc/locks");
    bool writes = false;
    int64_t pid = find_holder(a, path, locks, &writes);
    if (!writes) { /* in WAL mode the locks are on the shared memory */
        int64_t of_memory = find_holder(a, arena_printf(a, "%s-shm", path), locks, &writes);
        if (writes || !pid)
            pid = of_memory;
    }
    if (!pid)
        return NULL;
    struct str name = str_trim(read_proc(a, arena_printf(a, "/proc/%lld/comm", (long long)pid)));
    if (name.len == 0)
        return arena_printf(a, "process %lld", (long long)pid);
    return arena_printf(a, "process %lld (%.*s)", (long long)pid, STR_ARG(name));
}
