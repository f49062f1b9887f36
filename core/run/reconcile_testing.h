/*
 * How tests write files and rows as short texts: {"2", "create_users", "v2"} is version 2, a
 * description that also names the file, and its text. A '~' in a text stands for line ends, a '#' for a
 * comment.
 */
#ifndef CORE_RUN_RECONCILE_TESTING_H
#define CORE_RUN_RECONCILE_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/base/vec.h"
#include "core/run/reconcile.h"

#define ROWS_MAX 12

/* What a case is made of; kinds are told by the first character of the version: R repeatable, B
   baseline, C written as code. */
struct file_spec {
    const char *version; /* "1", "R", "B2", "C3" */
    const char *name;
    const char *text;
};
struct row_spec {
    const char *version;
    const char *name;
    const char *text;  /* that was applied */
    const char *state; /* NULL: applied */
};
struct expectation {
    const char *label; /* version, or the script of a repeatable */
    enum migration_state state;
    enum change_kind change;
};

struct reconcile_case {
    const char *name;
    struct file_spec files[ROWS_MAX];
    struct row_spec rows[ROWS_MAX];
    struct expectation expected[ROWS_MAX];
};

/* Three strengths of a digest over a text: the whole; without '~' (line ends); without '#' either
   (comments). */
static struct digest digest_without(const char *text, const char *dropped)
{
    char kept[128];
    size_t len = 0;
    for (; *text; text++) {
        if (!strchr(dropped, *text))
            kept[len++] = *text;
    }
    return digest_of((struct str){kept, len});
}

UNUSED static bool read_digests(void *context, const struct migration *m, struct checksums *out,
                                struct fail *f)
{
    int *calls = context;
    (void)f;
    ++*calls;
    const char *text = m->path.at; /* the cases keep the text there */
    out->normalized = digest_without(text, "~");
    out->tree = digest_without(text, "~#");
    out->tree_kind = "fake";
    return true;
}

static enum migration_kind kind_of(const char *version)
{
    return version[0] == 'R'   ? MIGRATION_REPEATABLE
           : version[0] == 'B' ? MIGRATION_BASELINE
                               : MIGRATION_VERSIONED;
}

static struct str number_of(const char *version)
{
    if (version[0] == 'R')
        return (struct str){0};
    return str_of(char_is_alpha(version[0]) ? version + 1 : version);
}

static struct migration make_file(const struct file_spec *spec)
{
    struct migration m = {
        .version = number_of(spec->version),
        .description = str_of(spec->name),
        .kind = kind_of(spec->version),
        .layout = LAYOUT_FLYWAY,
        .path = str_of(spec->text),
        .script = str_of(spec->name),
        .is_opaque = spec->version[0] == 'C',
        .checksums.raw = digest_without(spec->text, ""),
    };
    return m;
}

static struct history_row make_row(struct arena *a, const struct row_spec *spec, int64_t rank)
{
    struct digest raw = digest_without(spec->text, "");
    struct digest normalized = digest_without(spec->text, "~");
    struct digest tree = digest_without(spec->text, "~#");
    return (struct history_row){
        .rank = rank,
        .version = number_of(spec->version),
        .description = str_of(spec->name),
        .kind = str_of(migration_kind_name(kind_of(spec->version))),
        .layout = STR("flyway"),
        .script = str_of(spec->name),
        .state = str_of(spec->state ? spec->state : "applied"),
        .digest_raw = arena_str(a, digest_str(&raw)),
        .digest_normalized = arena_str(a, digest_str(&normalized)),
        .digest_tree = str_of(arena_printf(a, "fake:%s", tree.hex)),
        .installed_at = STR("2026-11-20T20:43:00.123456Z"),
    };
}

UNUSED static void run_case(struct arena *a, const struct reconcile_case *c,
                            struct reconciliation *out, int *calls)
{
    struct migrations files = {.layout = LAYOUT_FLYWAY, .order = VERSION_ORDER_DOTTED};
    struct history history = {.exists = true};
    SCOPED(fail) struct fail f = FAIL_NONE;
    for (size_t i = 0; i < ROWS_MAX && c->files[i].version; i++)
        vec_push(a, &files, make_file(&c->files[i]));
    for (size_t i = 0; i < ROWS_MAX && c->rows[i].version; i++)
        vec_push(a, &history, make_row(a, &c->rows[i], (int64_t)i + 1));
    *calls = 0;
    assert_true(reconcile(a, &files, &history, read_digests, calls, out, &f));
}

#endif
