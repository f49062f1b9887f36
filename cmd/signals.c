/*
 * Signals are blocked everywhere but in the first thread, which waits for them synchronously: no
 * code runs in a signal handler, so cancelling may take locks and open sockets. It is done by a
 * thread of its own, since a server that does not answer must not keep a second signal from being
 * seen.
 */
#include "cmd/signals.h"

#include "core/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* A request that meets a session between two statements is lost. */
#define CANCEL_AGAIN_MS 500
/* The driver's close() copes with a request that is under way for longer. */
#define CANCEL_WAIT_MS 2000

volatile sig_atomic_t stop_signal;

static pthread_mutex_t target_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t target_changed = PTHREAD_COND_INITIALIZER;
static const struct driver *target_driver;
static struct connection *target_connection;
static uint64_t target_number; /* of the registration */
static bool is_cancelling;     /* a request is under way */
static bool is_run_expected;

struct body {
    enum exit_code (*run)(void *context);
    void *context;
};

static void *run_body(void *argument)
{
    const struct body *body = argument;
    exit((int)body->run(body->context));
}

static struct timespec time_in_ms(int64_t ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

void signals_expect_run(bool is_expected)
{
    pthread_mutex_lock(&target_mutex);
    is_run_expected = is_expected;
    pthread_mutex_unlock(&target_mutex);
}

void signals_cancel_on(const struct driver *driver, struct connection *connection)
{
    struct timespec until = time_in_ms(CANCEL_WAIT_MS);

    pthread_mutex_lock(&target_mutex);
    target_driver = driver;
    target_connection = connection;
    target_number++;
    pthread_cond_broadcast(&target_changed);
    while (is_cancelling &&
           pthread_cond_timedwait(&target_changed, &target_mutex, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&target_mutex);
}

/* Until the next request is due, or something else is registered. Under the mutex. */
static void pause_cancelling(uint64_t number)
{
    struct timespec until = time_in_ms(CANCEL_AGAIN_MS);

    while (target_number == number) {
        /* SQLite's driver remembers a request until a statement has met it. */
        if (target_driver->engine == ENGINE_SQLITE)
            pthread_cond_wait(&target_changed, &target_mutex);
        else if (pthread_cond_timedwait(&target_changed, &target_mutex, &until) == ETIMEDOUT)
            return;
    }
}

/* The thread that cancels, from the first signal to the end of the process. */
static void *cancel_repeatedly(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&target_mutex);
    for (;;) {
        while (!target_connection)
            pthread_cond_wait(&target_changed, &target_mutex);
        const struct driver *driver = target_driver;
        struct connection *connection = target_connection;
        uint64_t number = target_number;
        is_cancelling = true;
        pthread_mutex_unlock(&target_mutex);
        driver->cancel(connection);
        pthread_mutex_lock(&target_mutex);
        is_cancelling = false;
        pthread_cond_broadcast(&target_changed);
        pause_cancelling(number);
    }
    return NULL;
}

NORETURN static void end_at_once(int number)
{
    _exit(number == SIGTERM ? EXIT_SIGTERM : EXIT_SIGINT);
}

static void first_signal(int number)
{
    pthread_t thread;

    pthread_mutex_lock(&target_mutex);
    bool is_running = target_connection != NULL;
    bool is_left_to_run = is_running || is_run_expected;
    stop_signal = number;
    pthread_mutex_unlock(&target_mutex);
    if (!is_left_to_run)
        end_at_once(number);
    if (is_running)
        log_line(LOG_NOTE, "stopping: the statement that runs is cancelled and rolled back "
                           "(once more to end at once)");
    if (pthread_create(&thread, NULL, cancel_repeatedly, NULL) != 0)
        end_at_once(number); /* as a second signal would */
    pthread_detach(thread);
}

void signals_run(enum exit_code (*run)(void *context), void *context, size_t stack_bytes)
{
    static struct body body;
    body = (struct body){.run = run, .context = context};
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, NULL);
    signal(SIGPIPE, SIG_IGN);
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0 ||
        pthread_attr_setstacksize(&attributes, stack_bytes) != 0 ||
        pthread_create(&thread, &attributes, run_body, &body) != 0) {
        fprintf(stderr,
                "migrate: no thread with %zu MB of stack could be had; is `ulimit -v` set?\n",
                stack_bytes >> 20);
        exit(EXIT_FAILED);
    }
    for (;;) {
        int number;
        if (sigwait(&stops, &number) != 0)
            continue;
        if (stop_signal)
            end_at_once(number);
        first_signal(number);
    }
}
