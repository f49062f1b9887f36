/*
 * Running other programs from tests: one child, three pipes, one poll loop with deadlines. See
 * fixture.h.
 */
#include "drivers/testkit/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 240000

struct stream {
    int fd;
    char *at;
    size_t len, room;
};

struct program {
    pid_t pid;
    int input_fd;
    char *input;
    size_t input_at;
    struct stream out, err;
    int64_t started_us;
    int64_t timeout_us;    /* since started_us */
    int64_t kill_after_us; /* 0: never */
    bool is_killed, is_timed_out;
};

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void apply_env(const char *const *env)
{
    for (; env && *env; env++) {
        const char *equal = strchr(*env, '=');
        if (!equal) {
            (void)unsetenv(*env);
            continue;
        }
        char *name = strndup(*env, (size_t)(equal - *env));
        if (!name || setenv(name, equal + 1, 1) != 0)
            _exit(126);
        free(name);
    }
}

NORETURN static void run_child(const struct program_options *options, const int input[2],
                               const int out[2], const int err[2])
{
    (void)dup2(input[0], STDIN_FILENO);
    (void)dup2(out[1], STDOUT_FILENO);
    (void)dup2(err[1], STDERR_FILENO);
    if (options->as_server_user)
        fixture_become_server_user();
    /* Behind the change of user, which clears it (prctl(2)). */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_DFL);
    apply_env(options->env);
    if (options->directory && chdir(options->directory) != 0)
        _exit(126);
    /* execvp() does not write to argv; its type is older than const. */
    union {
        const char *const *from;
        char *const *to;
    } argv = {.from = options->argv};
    execvp(options->argv[0], argv.to);
    (void)dprintf(STDERR_FILENO, "testkit: cannot run %s: %s\n", options->argv[0], strerror(errno));
    _exit(127);
}

struct program *program_start(const struct program_options *options)
{
    struct program *p = calloc(1, sizeof(*p));
    int input[2], out[2], err[2];

    if (!p || pipe2(input, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
        pipe2(err, O_CLOEXEC) != 0)
        fixture_die("cannot start %s: %s", options->argv[0], strerror(errno));
    p->input = strdup(options->input ? options->input : "");
    p->started_us = now_us();
    p->timeout_us = (options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS) * 1000;
    p->kill_after_us = options->kill_after_ms * 1000;
    p->pid = fork();
    if (p->pid < 0)
        fixture_die("fork: %s", strerror(errno));
    if (p->pid == 0)
        run_child(options, input, out, err);
    (void)close(input[0]);
    (void)close(out[1]);
    (void)close(err[1]);
    (void)signal(SIGPIPE, SIG_IGN); /* a program may end without reading its input */
    p->input_fd = input[1];
    (void)fcntl(p->input_fd, F_SETFL, O_NONBLOCK);
    p->out.fd = out[0];
    p->err.fd = err[0];
    return p;
}

pid_t program_pid(const struct program *p)
{
    return p->pid;
}

void program_signal(const struct program *p, int signal_number)
{
    (void)kill(p->pid, signal_number);
}

static void stream_read(struct stream *s)
{
    if (s->room - s->len < 65536) {
        s->room = s->room * 2 + 65536 + 1;
        s->at = realloc(s->at, s->room);
        if (!s->at)
            fixture_die("out of memory");
    }
    ssize_t got = read(s->fd, s->at + s->len, s->room - s->len - 1);
    if (got > 0)
        s->len += (size_t)got;
    s->at[s->len] = '\0';
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
        (void)close(s->fd);
        s->fd = -1;
    }
}

static void feed_input(struct program *p)
{
    size_t left = strlen(p->input + p->input_at);
    ssize_t put = left ? write(p->input_fd, p->input + p->input_at, left) : 0;

    if (put > 0)
        p->input_at += (size_t)put;
    if (left == (size_t)(put > 0 ? put : 0) || (put < 0 && errno != EAGAIN && errno != EINTR)) {
        (void)close(p->input_fd);
        p->input_fd = -1;
    }
}

static void keep_deadlines(struct program *p)
{
    int64_t age_us = now_us() - p->started_us;

    if (p->is_killed)
        return;
    if (p->kill_after_us && age_us >= p->kill_after_us) {
        p->is_killed = true;
    } else if (age_us >= p->timeout_us) {
        p->is_killed = true;
        p->is_timed_out = true;
    }
    if (p->is_killed)
        (void)kill(p->pid, SIGKILL);
}

/* Moves what can be moved, waiting at most wait_ms. */
static void pump(struct program *p, int wait_ms)
{
    struct pollfd polled[3] = {
        {.fd = p->out.fd, .events = POLLIN},
        {.fd = p->err.fd, .events = POLLIN},
        {.fd = p->input_fd, .events = POLLOUT},
    };

    keep_deadlines(p);
    if (poll(polled, 3, wait_ms) <= 0)
        return;
    if (polled[0].revents)
        stream_read(&p->out);
    if (polled[1].revents)
        stream_read(&p->err);
    if (polled[2].revents)
        feed_input(p);
}

static bool has_text(const struct program *p, const char *text)
{
    return (p->out.at && strstr(p->out.at, text)) || (p->err.at && strstr(p->err.at, text));
}

bool program_wait_for_text(struct program *p, const char *text)
{
    int64_t deadline_us = now_us() + (int64_t)FIXTURE_PATIENCE_MS * 1000;

    while (!has_text(p, text) && now_us() < deadline_us && (p->out.fd >= 0 || p->err.fd >= 0))
        pump(p, 5);
    return has_text(p, text);
}

/* State, user and system time of a process: proc(5), stat, fields 3, 14 and 15. The name has no parenthesis
   of its own: it is one of our programs, or a server. */
static bool read_stat(pid_t pid, char *out_state, int64_t *out_work_ms)
{
    char path[64];
    unsigned long user = 0;
    unsigned long system = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    int count = fscanf(file, "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                       out_state, &user, &system);
    (void)fclose(file);
    *out_work_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
    return count == 3;
}

int64_t fixture_work_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool fixture_is_running(pid_t pid)
{
    char state;
    int64_t work_ms;

    return read_stat(pid, &state, &work_ms) && state != 'Z' && state != 'X';
}

bool fixture_is_busy(pid_t pid)
{
    char state;
    int64_t work_ms;

    return read_stat(pid, &state, &work_ms) && (state == 'R' || state == 'D');
}

static int64_t work_of(const struct program *p)
{
    char state;
    int64_t work_ms;

    return read_stat(p->pid, &state, &work_ms) ? work_ms : -1;
}

bool program_wait_for_work(const struct program *p, int64_t work_ms)
{
    int64_t deadline_us = now_us() + (int64_t)FIXTURE_PATIENCE_MS * 1000;
    int64_t before_ms = work_of(p);
    int64_t now_ms = before_ms;

    while (now_ms >= 0 && now_ms - before_ms < work_ms && now_us() < deadline_us) {
        (void)usleep(3000);
        now_ms = work_of(p);
    }
    return now_ms >= 0 && now_ms - before_ms >= work_ms;
}

struct program_result program_finish(struct program *p)
{
    struct program_result r = {0};
    struct rusage used = {0};
    int status = 0;
    bool is_over = false;

    /* A grandchild may keep the pipes open behind its parent's end: only the child counts. */
    while (!is_over) {
        bool is_open = p->out.fd >= 0 || p->err.fd >= 0 || p->input_fd >= 0;
        pump(p, is_open ? 5 : 1);
        is_over = wait4(p->pid, &status, WNOHANG, &used) == p->pid;
    }
    r.duration_us = now_us() - p->started_us;
    r.max_rss_bytes = (int64_t)used.ru_maxrss * 1024; /* Linux counts in kilobytes */
    for (size_t before = SIZE_MAX; before != p->out.len + p->err.len;) {
        before = p->out.len + p->err.len;
        pump(p, 0);
    }
    r.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r.signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    r.is_timed_out = p->is_timed_out;
    r.out = p->out.at ? p->out.at : strdup("");
    r.out_len = p->out.len;
    r.err = p->err.at ? p->err.at : strdup("");
    r.err_len = p->err.len;
    if (p->out.fd >= 0)
        (void)close(p->out.fd);
    if (p->err.fd >= 0)
        (void)close(p->err.fd);
    if (p->input_fd >= 0)
        (void)close(p->input_fd);
    free(p->input);
    free(p);
    return r;
}

struct program_result run_program(const struct program_options *options)
{
    return program_finish(program_start(options));
}

struct program_result run_argv(const char *const *argv)
{
    return run_program(&(struct program_options){.argv = argv});
}

void program_result_release(struct program_result *r)
{
    free(r->out);
    free(r->err);
    *r = (struct program_result){0};
}
