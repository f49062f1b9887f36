/*
 * One thread, one poll loop, blocking writes (both ends are local and read eagerly). The client's
 * bytes are collected into protocol messages, so that a cut lies exactly between two of them; the
 * server's bytes are forwarded as they come, only the end of an answer (ReadyForQuery, at the end
 * of what was read) is looked for. Encrypted connections cannot be framed: use sslmode=disable on
 * TCP.
 */
#include "drivers/testkit/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "drivers/testkit/fixture.h"

#define MAX_LINKS 32
/* An answer is held back while the client still runs: see must_wait(). */
#define HELD_US 200
#define MOST_HELD_BYTES 16384
/* Start-up packets that ask for encryption or cancel: src/include/libpq/pqcomm.h. */
#define CODE_CANCEL 80877102u
#define CODE_SSL 80877103u
#define CODE_GSSENC 80877104u

struct link {
    int client, server; /* -1: free */
    pid_t client_pid;
    struct buf unsent;  /* bytes of the client that are not a whole message yet */
    bool is_started;    /* the start-up packet is behind us */
    bool client_spoke;  /* … and was not answered since */
    bool is_doomed;     /* the text was seen: cut at the end of this request */
    bool is_discarding; /* the server's answer is awaited, not forwarded */
    bool is_to_hold;    /* … and then given to the client, when it is told to go on */
    bool is_held;       /* nothing is read from either side */
    struct buf answer;  /* that is held back */
};

struct proxy {
    const char *directory;
    const char *upstream;
    int listener;
    int wake[2]; /* tells the thread to go on or to drop what is held; closed to end it */
    pthread_t thread;
    pthread_mutex_t mutex; /* over cut, text and nth */
    enum proxy_cut cut;
    char text[64];
    unsigned nth; /* messages that contain it, up to the one at which to cut */
    uint64_t cut_at_bytes;
    atomic_bool is_refusing;
    atomic_uint cuts, held, round_trips;
    _Atomic(uint64_t) bytes;
    struct link links[MAX_LINKS];
};

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static void link_close(struct link *l)
{
    (void)close(l->client);
    (void)close(l->server);
    buf_release(&l->unsent);
    buf_release(&l->answer);
    *l = (struct link){.client = -1, .server = -1};
}

static void disarm(struct proxy *p)
{
    (void)pthread_mutex_lock(&p->mutex);
    p->cut = PROXY_PASS;
    (void)pthread_mutex_unlock(&p->mutex);
}

/* Told before it is done: whoever sees the connection end may ask at once. */
static void link_cut(struct proxy *p, struct link *l)
{
    disarm(p);
    atomic_fetch_add(&p->cuts, 1);
    link_close(l);
}

static void link_hold(struct proxy *p, struct link *l)
{
    disarm(p);
    l->is_held = true;
    atomic_fetch_add(&p->held, 1);
}

static bool write_all(int fd, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t put = send(fd, at, len, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return false;
        at += put > 0 ? put : 0;
        len -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

/* Forwards at most what the byte budget allows; false: the link is closed. */
static bool forward(struct proxy *p, struct link *l, int to, const char *at, size_t len)
{
    uint64_t before = atomic_load(&p->bytes);

    (void)pthread_mutex_lock(&p->mutex);
    bool is_last = p->cut == PROXY_CUT_AFTER_BYTES && before + len >= p->cut_at_bytes;
    if (is_last)
        len = (size_t)(p->cut_at_bytes - before);
    (void)pthread_mutex_unlock(&p->mutex);
    atomic_fetch_add(&p->bytes, len);
    bool is_written = write_all(to, at, len);
    if (is_last)
        link_cut(p, l);
    else if (!is_written)
        link_close(l);
    return is_written && !is_last;
}

static uint32_t read_u32(const char *at)
{
    uint8_t b[4];

    memcpy(b, at, sizeof(b));
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Length of the message at the beginning of s, or 0 while it is not whole. */
static size_t message_len(const struct link *l, struct str s)
{
    size_t header = l->is_started ? 1 : 0;

    if (s.len < header + 4)
        return 0;
    size_t len = header + read_u32(s.at + header);
    return s.len >= len ? len : 0;
}

static void note_start(struct link *l, struct str message)
{
    uint32_t code = message.len >= 8 ? read_u32(message.at + 4) : 0;

    if (code != CODE_SSL && code != CODE_GSSENC && code != CODE_CANCEL)
        l->is_started = true;
}

/* Looks at one message of the client. PROXY_PASS: it is forwarded; else what happens instead. */
static enum proxy_cut judge_message(struct proxy *p, struct link *l, struct str message)
{
    (void)pthread_mutex_lock(&p->mutex);
    enum proxy_cut cut = p->cut;
    bool is_hit = cut != PROXY_PASS && cut != PROXY_CUT_AFTER_BYTES &&
                  memmem(message.at, message.len, p->text, strlen(p->text)) != NULL;
    if (is_hit && p->nth > 1) {
        p->nth--;
        is_hit = false;
    }
    (void)pthread_mutex_unlock(&p->mutex);
    if (is_hit && (cut == PROXY_CUT_BEFORE || cut == PROXY_HOLD_BEFORE))
        return cut;
    l->is_doomed = l->is_doomed || is_hit;
    l->is_to_hold = l->is_to_hold || (is_hit && cut == PROXY_HOLD_AFTER_ANSWER);
    return PROXY_PASS;
}

/* A simple query or Sync ends a request: the server acts on it without waiting for more. */
static bool is_end_of_request(struct str message)
{
    return message.at[0] == 'Q' || message.at[0] == 'S';
}

/* Logging in and saying goodbye (Terminate) do not count. */
static void count_round_trip(struct proxy *p, struct link *l, struct str message)
{
    if (!l->is_started || message.at[0] == 'X' || message.at[0] == 'p')
        return;
    if (!l->client_spoke)
        atomic_fetch_add(&p->round_trips, 1);
    l->client_spoke = true;
}

/* false: it goes no further. */
static bool pass_message(struct proxy *p, struct link *l, struct str message)
{
    if (!l->is_started) {
        note_start(l, message);
        return true;
    }
    enum proxy_cut cut = judge_message(p, l, message);
    if (cut == PROXY_HOLD_BEFORE)
        link_hold(p, l);
    else if (cut != PROXY_PASS)
        link_cut(p, l);
    return cut == PROXY_PASS;
}

static void forward_messages(struct proxy *p, struct link *l)
{
    for (size_t len; (len = message_len(l, buf_str(&l->unsent))) > 0;) {
        struct str message = {.at = l->unsent.at, .len = len};
        count_round_trip(p, l, message);
        if (!pass_message(p, l, message))
            return;
        bool is_end = l->is_doomed && is_end_of_request(message);
        if (!forward(p, l, l->server, message.at, message.len))
            return;
        buf_drop(&l->unsent, len);
        if (is_end && p->cut == PROXY_CUT_AFTER_SEND) {
            link_cut(p, l);
            return;
        }
        l->is_discarding = l->is_discarding || is_end;
    }
}

static void client_spoke(struct proxy *p, struct link *l)
{
    char bytes[65536];
    ssize_t got = read(l->client, bytes, sizeof(bytes));

    if (got <= 0) {
        link_close(l);
        return;
    }
    buf_add(&l->unsent, bytes, (size_t)got);
    forward_messages(p, l);
}

static void server_spoke(struct proxy *p, struct link *l)
{
    char bytes[65536];
    ssize_t got = read(l->server, bytes, sizeof(bytes));

    if (got <= 0) {
        link_close(l);
        return;
    }
    l->client_spoke = false;
    if (!l->is_discarding) {
        (void)forward(p, l, l->client, bytes, (size_t)got);
        return;
    }
    if (l->is_to_hold)
        buf_add(&l->answer, bytes, (size_t)got);
    /* ReadyForQuery: 'Z', length 5, one byte of state. */
    static const char ready[] = {'Z', 0, 0, 0, 5};
    if (got < 6 || memcmp(bytes + got - 6, ready, sizeof(ready)) != 0)
        return;
    if (l->is_to_hold)
        link_hold(p, l);
    else
        link_cut(p, l);
}

static void link_go_on(struct proxy *p, struct link *l)
{
    SCOPED(buf) struct buf answer = l->answer;

    l->answer = (struct buf){0};
    l->is_held = l->is_to_hold = l->is_doomed = l->is_discarding = false;
    if (answer.len && !forward(p, l, l->client, answer.at, answer.len))
        return;
    forward_messages(p, l);
}

/* false: it was told to end. */
static bool obey(struct proxy *p)
{
    char told = 0;

    if (read(p->wake[0], &told, 1) <= 0)
        return false;
    for (size_t i = 0; i < MAX_LINKS; i++) {
        if (p->links[i].client < 0 || !p->links[i].is_held)
            continue;
        atomic_fetch_sub(&p->held, 1);
        if (told == 'g')
            link_go_on(p, &p->links[i]);
        else
            link_close(&p->links[i]);
    }
    return true;
}

static pid_t peer_of(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        fixture_die("proxy: %s", strerror(errno));
    return peer.pid;
}

/* A client that still runs may have more of the same request to say, however long the machine keeps it from
   doing so: what the server has answered meanwhile is no round trip. Not where it answers so much that it
   might wait for us to read it. */
static bool must_wait(const struct link *l)
{
    int unread = 0;
    struct pollfd said = {.fd = l->client, .events = POLLIN};

    if (ioctl(l->server, FIONREAD, &unread) != 0 || unread > MOST_HELD_BYTES)
        return false;
    return fixture_is_busy(l->client_pid) || poll(&said, 1, 0) > 0;
}

/* true: an answer is held back. */
static bool serve_link(struct proxy *p, struct link *l, bool has_answer, bool has_request)
{
    bool is_held = l->client >= 0 && has_answer && must_wait(l);

    if (l->client >= 0 && has_answer && !is_held)
        server_spoke(p, l);
    if (l->client >= 0 && has_request)
        client_spoke(p, l);
    return is_held;
}

static void accept_client(struct proxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

    if (client < 0)
        return;
    int server = atomic_load(&p->is_refusing) ? -1 : connect_unix(p->upstream);
    for (size_t i = 0; server >= 0 && i < MAX_LINKS; i++) {
        if (p->links[i].client < 0) {
            p->links[i].client = client;
            p->links[i].client_pid = peer_of(client);
            p->links[i].server = server;
            return;
        }
    }
    (void)close(client);
    if (server >= 0)
        (void)close(server);
}

static void *serve(void *context)
{
    struct proxy *p = context;

    for (;;) {
        struct pollfd polled[2 + 2 * MAX_LINKS];
        polled[0] = (struct pollfd){.fd = p->wake[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
        for (size_t i = 0; i < MAX_LINKS; i++) {
            const struct link *l = &p->links[i];
            polled[2 + 2 * i] =
                (struct pollfd){.fd = l->is_held ? -1 : l->client, .events = POLLIN};
            polled[3 + 2 * i] =
                (struct pollfd){.fd = l->is_held ? -1 : l->server, .events = POLLIN};
        }
        if (poll(polled, ARRAY_LEN(polled), -1) < 0)
            continue;
        if (polled[0].revents && !obey(p))
            return NULL;
        bool is_held = false;
        for (size_t i = 0; i < MAX_LINKS; i++)
            is_held |= serve_link(p, &p->links[i], polled[3 + 2 * i].revents != 0,
                                  polled[2 + 2 * i].revents != 0);
        if (polled[1].revents)
            accept_client(p);
        if (is_held)
            (void)usleep(HELD_US);
    }
}

struct proxy *proxy_start_at(const char *socket_path)
{
    struct proxy *p = calloc(1, sizeof(*p));
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!p)
        fixture_die("out of memory");
    p->directory = fixture_directory();
    p->upstream = socket_path;
    for (size_t i = 0; i < MAX_LINKS; i++)
        p->links[i].client = p->links[i].server = -1;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.%d", p->directory,
                   PG_CLUSTER_PORT);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(p->listener, 16) != 0 || pipe2(p->wake, O_CLOEXEC) != 0)
        fixture_die("proxy: %s", strerror(errno));
    (void)pthread_mutex_init(&p->mutex, NULL);
    if (pthread_create(&p->thread, NULL, serve, p) != 0)
        fixture_die("proxy: no thread");
    return p;
}

struct proxy *proxy_start(const struct pg_cluster *c)
{
    return proxy_start_at(
        fixture_text("%s/.s.PGSQL.%d", pg_cluster_socket_directory(c), PG_CLUSTER_PORT));
}

void proxy_stop(struct proxy *p)
{
    if (!p)
        return;
    (void)close(p->wake[1]);
    (void)pthread_join(p->thread, NULL);
    for (size_t i = 0; i < MAX_LINKS; i++) {
        if (p->links[i].client >= 0)
            link_close(&p->links[i]);
    }
    (void)close(p->wake[0]);
    (void)close(p->listener);
    (void)pthread_mutex_destroy(&p->mutex);
    fixture_remove(p->directory);
    free(p);
}

const char *proxy_url(const struct proxy *p, const char *database, const char *role)
{
    return fixture_text("postgres://%s@/%s?host=%s&port=%d", role ? role : PG_CLUSTER_USER,
                        database, p->directory, PG_CLUSTER_PORT);
}

const char *proxy_socket_directory(const struct proxy *p)
{
    return p->directory;
}

void proxy_cut_at_text(struct proxy *p, enum proxy_cut cut, const char *text)
{
    proxy_cut_at_nth_text(p, cut, text, 1);
}

void proxy_cut_at_nth_text(struct proxy *p, enum proxy_cut cut, const char *text, unsigned nth)
{
    (void)pthread_mutex_lock(&p->mutex);
    p->cut = cut;
    p->nth = nth;
    (void)snprintf(p->text, sizeof(p->text), "%s", text);
    (void)pthread_mutex_unlock(&p->mutex);
}

void proxy_cut_after_bytes(struct proxy *p, uint64_t bytes)
{
    (void)pthread_mutex_lock(&p->mutex);
    p->cut = PROXY_CUT_AFTER_BYTES;
    p->cut_at_bytes = atomic_load(&p->bytes) + bytes;
    (void)pthread_mutex_unlock(&p->mutex);
}

void proxy_refuse(struct proxy *p, bool is_refusing)
{
    atomic_store(&p->is_refusing, is_refusing);
}

void proxy_release(struct proxy *p, bool goes_on)
{
    const char *told = goes_on ? "g" : "d";

    if (write(p->wake[1], told, 1) != 1)
        fixture_die("proxy: %s", strerror(errno));
}

unsigned proxy_held(const struct proxy *p)
{
    return atomic_load(&p->held);
}

unsigned proxy_cuts(const struct proxy *p)
{
    return atomic_load(&p->cuts);
}

uint64_t proxy_bytes(const struct proxy *p)
{
    return atomic_load(&p->bytes);
}

unsigned proxy_round_trips(const struct proxy *p)
{
    return atomic_load(&p->round_trips);
}
