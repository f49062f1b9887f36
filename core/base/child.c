/* See child.h. Between fork() and exec only what is safe in a process of several threads is called. */
#include "core/base/child.h"

#include "core/base/buf.h"
#include "core/base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 100

extern char **environ;

struct start {
    const char *path;
    char **argv;
    char **env;
    bool becomes_user;
    uid_t user;
    gid_t group;
    int out;
};

static const char *find_program(struct arena *a, const char *name)
{
    struct str rest = str_of(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    if (strchr(name, '/'))
        return name;
    while (rest.len) {
        struct str directory;
        rest = str_cut(rest, ':', &directory);
        const char *path = fs_join(a, directory, str_of(name));
        if (access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static size_t count_texts(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

static bool is_replaced(const char *const *by, const char *variable)
{
    size_t len = strcspn(variable, "=");
    for (; by && *by; by++) {
        if (strcspn(*by, "=") == len && strncmp(*by, variable, len) == 0)
            return true;
    }
    return false;
}

static char **merged_env(struct arena *a, const char *const *added)
{
    size_t ours = 0;
    while (environ[ours])
        ours++;
    char **env = arena_array(a, char *, ours + count_texts(added) + 1);
    size_t count = 0;
    for (size_t i = 0; i < ours; i++) {
        if (!is_replaced(added, environ[i]))
            env[count++] = environ[i];
    }
    for (; added && *added; added++) {
        if (strchr(*added, '='))
            env[count++] = arena_cstr(a, str_of(*added));
    }
    return env;
}

static bool prepare(struct arena *a, const struct child *child, struct start *out, struct fail *f)
{
    size_t count = count_texts(child->argv);
    out->path = find_program(a, child->argv[0]);
    if (!out->path)
        return fail_set(f, EXIT_USAGE, "there is no program %s in PATH", child->argv[0]);
    out->argv = arena_array(a, char *, count + 1);
    for (size_t i = 0; i < count; i++)
        out->argv[i] = arena_cstr(a, str_of(child->argv[i]));
    out->env = merged_env(a, child->env);
    if (!child->user || geteuid() != 0)
        return true;
    struct passwd entry, *found = NULL;
    char *room = arena_alloc(a, 4096);
    if (getpwnam_r(child->user, &entry, room, 4096, &found) != 0 || !found)
        return fail_set(f, EXIT_USAGE, "there is no user %s to run %s as", child->user,
                        child->argv[0]);
    out->becomes_user = true;
    out->user = found->pw_uid;
    out->group = found->pw_gid;
    return true;
}

NORETURN static void become(const struct start *s)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool is_ready = null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
                    dup2(s->out, STDOUT_FILENO) >= 0 && dup2(s->out, STDERR_FILENO) >= 0;
    if (is_ready && s->becomes_user)
        is_ready = setgroups(0, NULL) == 0 && setgid(s->group) == 0 && setuid(s->user) == 0 &&
                   chdir("/") == 0;
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* behind setuid(), which clears it: prctl(2) */
    if (is_ready)
        (void)execve(s->path, s->argv, s->env);
    _exit(127);
}

static void keep(struct buf *said, const char *bytes, size_t len)
{
    size_t room = CHILD_SAID_MAX_BYTES - said->len;
    buf_add(said, bytes, len < room ? len : room);
}

/* Until it has closed its outputs, or it is to end. */
static void listen_to(const struct child *child, pid_t pid, int from, struct buf *said)
{
    struct pollfd polled = {.fd = from, .events = POLLIN};
    bool is_told = false;
    for (;;) {
        char bytes[4096];
        if (child->stop_signal && *child->stop_signal && !is_told) {
            (void)kill(pid, SIGTERM);
            is_told = true;
        }
        int ready = poll(&polled, 1, LOOK_MS);
        if (ready < 0 && errno != EINTR)
            return;
        if (ready <= 0)
            continue;
        ssize_t got = read(from, bytes, sizeof(bytes));
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        if (got > 0)
            keep(said, bytes, (size_t)got);
    }
}

static int await(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return 127;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool child_run(struct arena *a, const struct child *child, int *out_status, struct str *out_said,
               struct fail *f)
{
    struct start start = {0};
    SCOPED(buf) struct buf said = {0};
    int ends[2];
    if (!prepare(a, child, &start, f))
        return false;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail_errno(f, EXIT_FAILED, "cannot start %s", child->argv[0]);
    start.out = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        become(&start);
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return fail_errno(f, EXIT_FAILED, "cannot start %s", child->argv[0]);
    }
    listen_to(child, pid, ends[0], &said);
    (void)close(ends[0]);
    *out_status = await(pid);
    *out_said = buf_done(a, &said);
    if (!child->stop_signal || !*child->stop_signal)
        return true;
    fail_set(f, *child->stop_signal == SIGTERM ? EXIT_SIGTERM : EXIT_SIGINT,
             "stopped while %s was running", child->argv[0]);
    return fail_kind_set(f, FAIL_CANCELLED);
}
