/*
 * The keeper is forked at first use and reads orders from a pipe ("k pid signal", "r path"). The
 * end of the pipe is the end of the test program, however it came: the keeper then carries the
 * orders out, latest first. The test program waits for it when it ends in an orderly way, so that
 * nothing of one program is left when the next one starts.
 */
#include "drivers/testkit/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/str.h"

/* /dev/shm is used when this much is free there: a cluster is 40 MB, and several may run. */
#define ROOMY_BYTES ((uint64_t)1 << 30)
#define SERVER_USER "postgres"

static struct {
    pid_t owner; /* the process whose end counts */
    pid_t pid;
    int fd;
} keeper = {.fd = -1};

void fixture_die(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fputs("testkit: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(1);
}

/* ------------------------------------------------------------------------------------- keeper */

static int remove_one(const char *path, const struct stat *st UNUSED, int type UNUSED,
                      struct FTW *ftw UNUSED)
{
    (void)remove(path);
    return 0;
}

static void remove_all(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void kill_and_wait(pid_t pid, int signal_number)
{
    if (kill(pid, signal_number) != 0)
        return;
    for (int i = 0; i < 500; i++) {
        if (!fixture_is_running(pid))
            return;
        usleep(10000);
    }
    (void)kill(pid, SIGKILL);
}

static void keeper_obey(char *order)
{
    if (str_starts(str_of(order), STR("r "))) {
        remove_all(order + 2);
        return;
    }
    char *end = order;
    long pid = str_starts(str_of(order), STR("k ")) ? strtol(order + 2, &end, 10) : 0;
    if (pid > 1)
        kill_and_wait((pid_t)pid, (int)strtol(end, NULL, 10));
}

/* All orders, up to the end of the test program. */
static char *keeper_read(int fd, size_t *out_len)
{
    char *orders = NULL;
    size_t room = 0;
    ssize_t got;

    *out_len = 0;
    for (;;) {
        if (room - *out_len < 4096) {
            room = room * 2 + 65536;
            orders = realloc(orders, room);
            if (!orders)
                _exit(1);
        }
        got = read(fd, orders + *out_len, room - *out_len);
        if (got == 0 || (got < 0 && errno != EINTR))
            return orders;
        *out_len += got > 0 ? (size_t)got : 0;
    }
}

NORETURN static void keeper_run(int fd)
{
    size_t len;

    (void)setsid(); /* a Ctrl-C for the test must not end the keeper */
    (void)signal(SIGTERM, SIG_IGN);
    char *orders = keeper_read(fd, &len);
    while (len > 0) {
        size_t start = len - 1; /* at the newline of the last order */
        orders[start] = '\0';
        while (start > 0 && orders[start - 1] != '\n')
            start--;
        keeper_obey(orders + start);
        len = start;
    }
    _exit(0);
}

static void keeper_finish(void)
{
    if (keeper.owner != getpid() || keeper.fd < 0)
        return;
    (void)close(keeper.fd);
    keeper.fd = -1;
    (void)waitpid(keeper.pid, NULL, 0);
}

static void keeper_order(const char *order)
{
    if (keeper.fd < 0) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            fixture_die("pipe: %s", strerror(errno));
        keeper.owner = getpid();
        keeper.pid = fork();
        if (keeper.pid < 0)
            fixture_die("fork: %s", strerror(errno));
        if (keeper.pid == 0) {
            (void)close(ends[1]);
            keeper_run(ends[0]);
        }
        (void)close(ends[0]);
        keeper.fd = ends[1];
        (void)atexit(keeper_finish);
    }
    if (write(keeper.fd, order, strlen(order)) != (ssize_t)strlen(order))
        fixture_die("the keeper process is gone");
}

void fixture_kill_at_end(pid_t pid, int signal_number)
{
    char order[64];

    (void)snprintf(order, sizeof(order), "k %d %d\n", (int)pid, signal_number);
    keeper_order(order);
}

/* -------------------------------------------------------------------------- memory and files */

/* Texts live as long as the program and stay reachable, so that no leak is reported. */
static struct text {
    struct text *next;
    char at[];
} * texts;

const char *fixture_text(const char *format, ...)
{
    va_list values;
    struct text *text;
    int len;

    va_start(values, format);
    len = vsnprintf(NULL, 0, format, values);
    va_end(values);
    text = malloc(sizeof(*text) + (size_t)len + 1);
    if (!text)
        fixture_die("out of memory");
    va_start(values, format);
    (void)vsnprintf(text->at, (size_t)len + 1, format, values);
    va_end(values);
    text->next = texts;
    texts = text;
    return text->at;
}

const char *fixture_directory(void)
{
    struct statvfs shm;
    const char *parent = getenv("TMPDIR");
    char *path;

    if (statvfs("/dev/shm", &shm) == 0 && (uint64_t)shm.f_bavail * shm.f_frsize >= ROOMY_BYTES &&
        access("/dev/shm", W_OK) == 0)
        parent = "/dev/shm";
    if (!parent || !*parent)
        parent = "/tmp";
    path = strdup(fixture_text("%s/migrate-test-XXXXXX", parent));
    if (!path || !mkdtemp(path))
        fixture_die("cannot make a directory in %s: %s", parent, strerror(errno));
    const char *kept = fixture_text("%s", path);
    free(path);
    if (chmod(kept, 0755) != 0)
        fixture_die("chmod %s: %s", kept, strerror(errno));
    keeper_order(fixture_text("r %s\n", kept));
    return kept;
}

const char *fixture_path(const char *directory, const char *name)
{
    return fixture_text("%s/%s", directory, name);
}

static void make_parents(const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        fixture_die("out of memory");
    for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            fixture_die("mkdir %s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
}

void fixture_write_bytes(const char *directory, const char *name, const void *at, size_t len)
{
    const char *path = fixture_path(directory, name);
    FILE *file;

    make_parents(path);
    file = fopen(path, "wbe");
    if (!file || (len > 0 && fwrite(at, 1, len, file) != len) || fclose(file) != 0)
        fixture_die("cannot write %s: %s", path, strerror(errno));
}

void fixture_write(const char *directory, const char *name, const char *text)
{
    fixture_write_bytes(directory, name, text, strlen(text));
}

/* Tables of cases are read once and used to the end of the program: what stays here is no leak. */
static const char *kept_texts[256];
static size_t kept_count;

char *fixture_read(const char *path)
{
    FILE *file = fopen(path, "rbe");
    char *text = NULL;
    size_t room = 0;
    size_t len = 0;
    size_t got;

    if (!file)
        fixture_die("cannot read %s: %s", path, strerror(errno));
    do {
        room = room ? room * 2 : 4096;
        text = realloc(text, room);
        if (!text)
            fixture_die("out of memory");
        got = fread(text + len, 1, room - len - 1, file);
        len += got;
    } while (got > 0);
    (void)fclose(file);
    text[len] = '\0';
    kept_texts[kept_count++ % ARRAY_LEN(kept_texts)] = text;
    return text;
}

const char *fixture_text_of(const char *path)
{
    char *text = fixture_read(path);
    const char *kept = fixture_text("%s", text);
    free(text);
    return kept;
}

void fixture_remove(const char *path)
{
    remove_all(path);
}

int fixture_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        fixture_die("no free TCP port: %s", strerror(errno));
    (void)close(fd);
    return ntohs(address.sin_port);
}

/* --------------------------------------------------------------------------------------- users */

static const struct passwd *server_user(void)
{
    const struct passwd *user = getpwnam(SERVER_USER);

    if (!user)
        fixture_die("tests that run as root need the user \"%s\": install the package "
                    "postgresql",
                    SERVER_USER);
    return user;
}

void fixture_become_server_user(void)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = server_user();
    if (initgroups(SERVER_USER, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0)
        fixture_die("cannot become \"%s\": %s", SERVER_USER, strerror(errno));
}

void fixture_give_to_server_user(const char *path)
{
    if (geteuid() != 0)
        return;
    const struct passwd *user = server_user();
    if (chown(path, user->pw_uid, user->pw_gid) != 0)
        fixture_die("chown %s: %s", path, strerror(errno));
}
