/*
 * From directories to an ordered list: list, detect, let the layout read, then what is the same for
 * all layouts: order, duplicates, down files.
 */
#include "drivers/source/directory.h"

#include "core/base/fs.h"
#include "core/base/vec.h"
#include "drivers/source/detect.h"

static bool list_directory(struct arena *a, struct str directory, struct fs_entries *out,
                           struct fail *f)
{
    const char *path = arena_cstr(a, directory);
    if (fs_list(a, path, out, f))
        return true;
    if (f->kind == FAIL_NOT_FOUND)
        return fail_hint(f, "Give the directory of the migrations with --dir, or make it with "
                            "\"migrate init\".");
    return fail_hint(f, "Give a directory that can be read with --dir.");
}

/* Order of application. Repeatables come last, by description; a baseline comes behind the version
   it stands for. */
static int compare_migrations(const void *left, const void *right, void *order)
{
    const struct migration *a = left;
    const struct migration *b = right;
    bool a_is_last = a->kind == MIGRATION_REPEATABLE;
    bool b_is_last = b->kind == MIGRATION_REPEATABLE;
    if (a_is_last != b_is_last)
        return a_is_last ? 1 : -1;
    int difference =
        a_is_last ? str_compare(a->description, b->description)
                  : version_compare(*(const enum version_order *)order, a->version, b->version);
    if (difference == 0)
        difference = (int)a->kind - (int)b->kind;
    return difference ? difference : str_compare(a->path, b->path);
}

static bool are_same(enum version_order order, const struct migration *a, const struct migration *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == MIGRATION_REPEATABLE)
        return str_equal(a->description, b->description);
    return version_compare(order, a->version, b->version) == 0;
}

static bool refuse_duplicate(const struct migration *a, const struct migration *b, struct fail *f)
{
    if (a->kind == MIGRATION_REPEATABLE)
        fail_set(f, EXIT_INTEGRITY, "two repeatable migrations are called \"%.*s\"",
                 STR_ARG(a->description));
    else if (str_equal(a->version, b->version))
        fail_set(f, EXIT_INTEGRITY, "two migrations have the version %.*s", STR_ARG(a->version));
    else
        fail_set(f, EXIT_INTEGRITY, "two migrations have the same version, %.*s and %.*s",
                 STR_ARG(a->version), STR_ARG(b->version));
    fail_detail(f, "%.*s", STR_ARG(a->path));
    fail_detail(f, "%.*s", STR_ARG(b->path));
    if (str_equal(a->path, b->path))
        return fail_hint(f, "The same directory is given twice.");
    return fail_hint(f, "Renumber the one that was never applied.");
}

static bool put_in_order(struct migrations *m, bool keeps_duplicates, struct fail *f)
{
    size_t sorted = 1; /* as they mostly are, the names being in order */
    while (sorted < m->count &&
           compare_migrations(&m->at[sorted - 1], &m->at[sorted], &m->order) <= 0)
        sorted++;
    if (sorted < m->count)
        qsort_r(m->at, m->count, sizeof(*m->at), compare_migrations, &m->order);
    for (size_t i = 1; i < m->count && !keeps_duplicates; i++)
        if (are_same(m->order, &m->at[i - 1], &m->at[i]))
            return refuse_duplicate(&m->at[i - 1], &m->at[i], f);
    return true;
}

static int compare_downs(const void *left, const void *right, void *order)
{
    const struct down_file *a = left;
    const struct down_file *b = right;
    int difference = version_compare(*(const enum version_order *)order, a->version, b->version);
    return difference ? difference : str_compare(a->path, b->path);
}

static bool refuse_two_downs(const struct down_file *a, const struct down_file *b, struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY, "two down files have the version %.*s", STR_ARG(a->version));
    fail_detail(f, "%.*s", STR_ARG(a->path));
    fail_detail(f, "%.*s", STR_ARG(b->path));
    return fail_hint(f, "Remove or renumber one of them.");
}

/* A down file without its up file. In refinery's directories U is no undo but an ordinary
   migration; leaving it out of what was only taken for flyway's would skip it. */
static bool settle_lone_down(struct layout_reading *r, const struct down_file *down, struct fail *f)
{
    if (r->layout == LAYOUT_FLYWAY && r->is_detected) {
        fail_set(f, EXIT_USAGE, "\"%.*s\" has no migration of version %.*s to undo",
                 STR_ARG(down->path), STR_ARG(down->version));
        fail_detail(f, "To flyway it is an undo file; to refinery a migration that may run out of "
                       "order.");
        return fail_hint(f,
                         "Give --layout flyway to leave it aside, or rename it to V%.*s__… to "
                         "apply it.",
                         STR_ARG(down->version));
    }
    struct source_note note = {.path = down->path, .text = STR("a down file without an up file")};
    vec_push(r->a, &r->out->notes, note);
    return true;
}

/* Both lists are in the order of versions and are walked side by side. */
static bool match_downs(struct layout_reading *r, struct fail *f)
{
    struct migrations *m = r->out;
    if (r->downs.count)
        qsort_r(r->downs.at, r->downs.count, sizeof(*r->downs.at), compare_downs, &m->order);
    size_t at = 0;
    for (size_t i = 0; i < r->downs.count; i++) {
        const struct down_file *down = &r->downs.at[i];
        if (i && version_compare(m->order, down[-1].version, down->version) == 0)
            return refuse_two_downs(down - 1, down, f);
        while (at < m->count && m->at[at].kind != MIGRATION_REPEATABLE &&
               (m->at[at].kind != MIGRATION_VERSIONED ||
                version_compare(m->order, m->at[at].version, down->version) < 0))
            at++;
        bool is_matched = at < m->count && m->at[at].kind == MIGRATION_VERSIONED &&
                          version_compare(m->order, m->at[at].version, down->version) == 0;
        if (is_matched) {
            m->at[at].down_path = down->path;
            m->at[at].down = (struct file_range){.to = UINT64_MAX};
        } else if (!settle_lone_down(r, down, f)) {
            return false;
        }
    }
    return true;
}

/* plain, golang-migrate and sqlx read unmarked files alike; the comments that only sqlx's own
   template writes tell whose they are, in whichever file they stand. */
static void settle_sqlx(struct layout_reading *r)
{
    bool is_alike = r->layout == LAYOUT_PLAIN || r->layout == LAYOUT_GOLANG_MIGRATE;
    if (!r->is_detected || !is_alike || (!r->has_sqlx_template && r->sqlx_opt_outs.count == 0))
        return;
    for (size_t i = 0; i < r->out->count; i++) {
        struct numbered_name n;
        if (!numbered_name_parse(r->out->at[i].script, &n) || !sqlx_fits(&n, r->out->at[i].script))
            return;
    }
    r->layout = LAYOUT_SQLX;
    r->out->layout = LAYOUT_SQLX;
    for (size_t i = 0; i < r->out->count; i++)
        r->out->at[i].layout = LAYOUT_SQLX;
    for (size_t i = 0; i < r->sqlx_opt_outs.count; i++)
        r->out->at[r->sqlx_opt_outs.at[i]].transaction = TRANSACTION_NONE;
}

/* A layout that was named and takes none of the files is the wrong one. */
static bool check_some(const struct layout_reading *r, size_t first, size_t first_note,
                       struct fail *f)
{
    if (r->is_detected || r->out->count > first || r->out->notes.count == first_note)
        return true;
    const struct source_note *note = &r->out->notes.at[first_note];
    fail_set(f, EXIT_USAGE, "no file in \"%.*s\" is a migration of %s", STR_ARG(r->directory),
             layout_name(r->layout));
    fail_detail(f, "%.*s: %.*s", STR_ARG(note->path), STR_ARG(note->text));
    return fail_hint(f, "Its names look like %s. Give another --layout, or auto.",
                     layout_reader_of(r->layout)->example);
}

static bool read_all(struct layout_reading *r, const struct source_request *request,
                     const struct fs_entries *entries, struct fail *f)
{
    const struct layout_reader *reader = layout_reader_of(r->layout);
    r->out->layout = r->layout;
    r->out->order = reader->order;
    for (size_t i = 0; i < request->count; i++) {
        size_t first = r->out->count;
        size_t first_note = r->out->notes.count;
        r->directory = request->directories[i];
        r->entries = &entries[i];
        if (!reader->read(r, f) || !check_some(r, first, first_note, f))
            return false;
    }
    settle_sqlx(r);
    return put_in_order(r->out, request->keeps_duplicates, f) && match_downs(r, f);
}

enum version_order layout_version_order(enum layout l)
{
    return l == LAYOUT_AUTO ? VERSION_ORDER_TEXT : layout_reader_of(l)->order;
}

bool directory_read(struct arena *a, const struct source_request *request, struct migrations *out,
                    struct fail *f)
{
    if (request->count == 0) {
        fail_set(f, EXIT_USAGE, "no directory of migrations");
        return fail_hint(f, "Give --dir, or the key \"migrations\" in migrator.yml.");
    }
    SCOPED(arena) struct arena *scratch = arena_make();
    struct fs_entries *entries = arena_array(a, struct fs_entries, request->count);
    for (size_t i = 0; i < request->count; i++)
        if (!list_directory(a, request->directories[i], &entries[i], f))
            return false;
    *out = (struct migrations){0};
    SCOPED(buf) struct buf bytes = {0};
    struct layout_reading r = {
        .a = a,
        .layout = request->layout,
        .is_detected = request->layout == LAYOUT_AUTO,
        .engine = request->engine,
        .out = out,
        .bytes = &bytes,
        .scan = arena_new(scratch, struct header_scan),
    };
    if (r.is_detected && !detect_layout(scratch, request, entries, &r.layout, f))
        return false;
    return read_all(&r, request, entries, f);
}

#define NORMALIZE_PIECE_BYTES ((size_t)64 << 10)

bool source_normalized_digest(const struct migration *m, struct digest *out, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct byte_source source;
    struct normalizer n;
    char *bytes = arena_alloc(a, NORMALIZE_PIECE_BYTES);
    uint64_t offset = 0;
    size_t len = 0;
    if (!byte_source_open(arena_cstr(a, m->path), &source, f))
        return false;
    normalizer_start(&n);
    bool is_read;
    do {
        is_read = byte_source_read(&source, offset, bytes, NORMALIZE_PIECE_BYTES, &len, f);
        if (is_read)
            normalizer_add(&n, (struct str){.at = bytes, .len = len});
        offset += len;
    } while (is_read && len);
    byte_source_close(&source);
    struct digest digest = normalizer_finish(&n);
    if (is_read)
        *out = digest;
    return is_read;
}
