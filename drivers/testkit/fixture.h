/*
 * What tests need of the operating system: temporary directories, files, and other programs that
 * are run, watched and killed. Everything made here vanishes with the test program, also when that
 * crashes: a keeper process waits for its end and cleans up behind it. A failure of the fixture
 * itself prints one line and ends the test program with status 1.
 */
#ifndef DRIVERS_TESTKIT_FIXTURE_H
#define DRIVERS_TESTKIT_FIXTURE_H

#include <sys/types.h>

#include "core/base/base.h"

/* How long anything is waited for that is to happen: what takes longer never comes, however busy the
   machine is. */
#define FIXTURE_PATIENCE_MS 60000

/* Prints "testkit: …" on stderr and ends the test program with status 1. */
NORETURN void fixture_die(const char *format, ...) PRINTF_LIKE(1, 2);

/* Makes an empty temporary directory, in /dev/shm where that is roomy, else in TMPDIR. Any user may
   enter it. The path lives as long as the program; the directory is removed at its end. */
const char *fixture_directory(void);
/* "directory/name", for as long as the program lives. */
const char *fixture_path(const char *directory, const char *name);
/* Writes (replaces) a file; directories in name are made. text is NUL-terminated. */
void fixture_write(const char *directory, const char *name, const char *text);
/* The same for bytes. */
void fixture_write_bytes(const char *directory, const char *name, const void *at, size_t len);
/* The whole file, NUL-terminated; the caller frees it. Dies where it is not there. */
char *fixture_read(const char *path);
/* The same in memory that lives as long as the program. */
const char *fixture_text_of(const char *path);
/* Removes a file or a whole directory; nothing there is fine. */
void fixture_remove(const char *path);
/* printf into memory that lives as long as the program. */
const char *fixture_text(const char *format, ...) PRINTF_LIKE(1, 2);
/* A TCP port of 127.0.0.1 that is free at the moment. */
int fixture_free_port(void);

/* Has the keeper send a signal to a process when the test program ends. It does this before
   directories are removed, and waits (at most 5 s) for the process to be gone. */
void fixture_kill_at_end(pid_t pid, int signal_number);

/* Processor time of this process so far: what others do on the machine is not in it. */
int64_t fixture_work_us(void);

/* Whether a process is there and not a zombie that nobody has waited for. */
bool fixture_is_running(pid_t pid);
/* Whether its first thread runs, or would if there were a processor for it: it waits for nobody. */
bool fixture_is_busy(pid_t pid);

struct program_options {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL at the end */
    const char *const *env;  /* "NAME=value" adds, "NAME" removes; NULL at the end; or NULL */
    const char *directory;   /* working directory; NULL: the test's */
    const char *input;       /* standard input; NULL: empty */
    int64_t timeout_ms;      /* then SIGKILL and is_timed_out; 0: 240 s */
    int64_t kill_after_ms;   /* SIGKILL at that moment, as the test's intention; 0: never */
    bool as_server_user;     /* as `postgres` when the test runs as root: servers refuse root */
};

struct program_result {
    int exit_code;     /* -1 when a signal ended it */
    int signal_number; /* 0 when it ended by itself */
    bool is_timed_out;
    char *out; /* standard output, NUL-terminated */
    size_t out_len;
    char *err; /* standard error, NUL-terminated */
    size_t err_len;
    int64_t duration_us;
    int64_t max_rss_bytes; /* the most memory it held at once: getrusage(2), ru_maxrss */
};

/* Runs a program to its end. Release the result with program_result_release(). */
struct program_result run_program(const struct program_options *options);
/* The shortest form: no input, the test's environment. */
struct program_result run_argv(const char *const *argv);
void program_result_release(struct program_result *r);

/* The same in two steps, for programs that run side by side. */
struct program;
struct program *program_start(const struct program_options *options);
pid_t program_pid(const struct program *p);
void program_signal(const struct program *p, int signal_number);
/* Waits until it has used so much processor time more than now; false where it does not come to that
   within FIXTURE_PATIENCE_MS. */
bool program_wait_for_work(const struct program *p, int64_t work_ms);
/* Waits until its standard output or error contains the text; false where that did not happen within
   FIXTURE_PATIENCE_MS, or the program has ended without it. */
bool program_wait_for_text(struct program *p, const char *text);
/* Waits for the end and frees p. */
struct program_result program_finish(struct program *p);

/* In a forked child: becomes the user that servers run as (nothing to do unless root). */
void fixture_become_server_user(void);
/* Gives a path to the user that servers run as. */
void fixture_give_to_server_user(const char *path);

#endif
