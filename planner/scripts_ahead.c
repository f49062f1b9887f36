/* A ring of scripts between the threads that read and the one that takes. */
#include "planner/scripts_ahead.h"

#include "planner/postgres/parse.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Scripts that are read at most before they are taken, and how large each may be: what is larger has several
   windows, of which only one is read ahead, and takes a multiple of it in memory. */
#define RING 16
#define READ_BYTES ((uint64_t)128 << 10)
/* For fewer a thread costs more than it saves. */
#define WORTH_IT 8
#define THREADS_MAX 4

struct slot {
    struct script *script; /* with its first batch; NULL: to be opened by who takes it */
    bool is_ready;
};

struct scripts_ahead {
    const struct migration *const *migrations;
    size_t count;
    struct script_context context;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t next;  /* that no thread has begun */
    size_t taken; /* so many were taken */
    bool is_ending;
    struct slot ring[RING];
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
};

/* What cannot be read is left to who takes it, and fails there. */
static struct script *read_one(const struct scripts_ahead *s, const struct migration *m)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    if (m->size_bytes > READ_BYTES)
        return NULL;
    struct script *script = script_open(m, false, &s->context, &f);
    if (!script || script_read_ahead(script, &f))
        return script;
    script_close(script);
    return NULL;
}

static void *read_all(void *context)
{
    struct scripts_ahead *s = context;
    pthread_mutex_lock(&s->mutex);
    while (!s->is_ending && s->next < s->count) {
        if (s->next >= s->taken + RING) {
            pthread_cond_wait(&s->changed, &s->mutex);
            continue;
        }
        size_t index = s->next++;
        pthread_mutex_unlock(&s->mutex);
        struct script *script = read_one(s, s->migrations[index]);
        pthread_mutex_lock(&s->mutex);
        s->ring[index % RING] = (struct slot){script, true};
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* The parser needs the same stack here as in the program's own thread. */
static void start_threads(struct scripts_ahead *s, size_t wanted)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0)
        return;
    bool has_stack = pthread_attr_setstacksize(&attributes, PARSE_STACK_BYTES) == 0;
    while (has_stack && s->thread_count < wanted &&
           pthread_create(&s->threads[s->thread_count], &attributes, read_all, s) == 0)
        s->thread_count++;
    pthread_attr_destroy(&attributes);
}

struct scripts_ahead *scripts_ahead_start(const struct migration *const *migrations, size_t count,
                                          const struct script_context *context)
{
    struct scripts_ahead *s = calloc(1, sizeof(*s));
    if (!s)
        out_of_memory();
    s->migrations = migrations;
    s->count = count;
    s->context = *context;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (context->dialect->engine == ENGINE_POSTGRES && count >= WORTH_IT && processors > 1)
        start_threads(s, processors > THREADS_MAX ? THREADS_MAX : (size_t)processors - 1);
    return s;
}

struct script *scripts_ahead_take(struct scripts_ahead *s, const struct migration *m,
                                  struct fail *f)
{
    struct script *script = NULL;
    if (s->thread_count) {
        pthread_mutex_lock(&s->mutex);
        assert(s->migrations[s->taken] == m);
        struct slot *slot = &s->ring[s->taken % RING];
        while (!slot->is_ready)
            pthread_cond_wait(&s->changed, &s->mutex);
        script = slot->script;
        *slot = (struct slot){0};
        s->taken++;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->mutex);
    }
    return script ? script : script_open(m, false, &s->context, f);
}

void scripts_ahead_end(struct scripts_ahead *s)
{
    pthread_mutex_lock(&s->mutex);
    s->is_ending = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->mutex);
    for (size_t i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    for (size_t i = 0; i < RING; i++)
        script_close(s->ring[i].script);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}
