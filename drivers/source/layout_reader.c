/*
 * What all layouts share. A file up to PIECE_BYTES is read with one call into scratch memory that
 * is used again for the next file; its digest and its header come from the same bytes. A larger one
 * passes through in pieces.
 */
#include "drivers/source/layout_reader.h"

#include "core/base/vec.h"

#define PIECE_BYTES ((size_t)1 << 20)
/* Sub-directories that are looked into only for a note. */
#define NOTED_DIRECTORIES_MAX 64

const struct layout_reader *layout_reader_of(enum layout l)
{
    static const struct layout_reader *const readers[] = {
        [LAYOUT_PLAIN] = &plain_reader,     [LAYOUT_FLYWAY] = &flyway_reader,
        [LAYOUT_DBMATE] = &dbmate_reader,   [LAYOUT_GOLANG_MIGRATE] = &golang_migrate_reader,
        [LAYOUT_GOOSE] = &goose_reader,     [LAYOUT_PRISMA] = &prisma_reader,
        [LAYOUT_DRIZZLE] = &drizzle_reader, [LAYOUT_DIESEL] = &diesel_reader,
        [LAYOUT_SQLX] = &sqlx_reader,
    };
    static_assert(ARRAY_LEN(readers) == LAYOUT_MAX, "one reader for each layout");
    if (l <= LAYOUT_AUTO || l >= LAYOUT_MAX)
        BUG("no reader for this layout");
    return readers[l];
}

struct str reading_path(struct layout_reading *r, struct str script)
{
    return str_of(fs_join(r->a, r->directory, script));
}

static int compare_with_entry(const void *name, const void *entry)
{
    return str_compare(*(const struct str *)name, ((const struct fs_entry *)entry)->name);
}

const struct fs_entry *entries_find(const struct fs_entries *entries, struct str name)
{
    if (entries->count == 0)
        return NULL;
    return bsearch(&name, entries->at, entries->count, sizeof(*entries->at), compare_with_entry);
}

void reading_note(struct layout_reading *r, struct str script, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    struct str text = str_of(arena_vprintf(r->a, format, values));
    va_end(values);
    struct source_note note = {.path = reading_path(r, script), .text = text};
    vec_push(r->a, &r->out->notes, note);
}

void reading_note_unfit(struct layout_reading *r, struct str name, const char *why)
{
    if (name_looks_like_migration(name))
        reading_note(r, name, "not a migration: %s", why);
}

bool directory_holds_sql(const char *path, unsigned depth)
{
    SCOPED(arena) struct arena *a = arena_make();
    struct fs_entries entries;
    struct fail ignored = FAIL_NONE; /* what cannot be listed holds nothing for us */
    bool is_listed = fs_list(a, path, &entries, &ignored);
    fail_clear(&ignored);
    if (!is_listed)
        return false;
    for (size_t i = 0; i < entries.count; i++)
        if (!entries.at[i].is_directory && extension_is_sql(name_extension(entries.at[i].name)))
            return true;
    for (size_t i = 0; depth && i < entries.count && i < NOTED_DIRECTORIES_MAX; i++) {
        const char *below = fs_join(a, str_of(path), entries.at[i].name);
        if (entries.at[i].is_directory && directory_holds_sql(below, depth - 1))
            return true;
    }
    return false;
}

void reading_note_directories(struct layout_reading *r)
{
    size_t looked_at = 0;
    for (size_t i = 0; i < r->entries->count && looked_at < NOTED_DIRECTORIES_MAX; i++) {
        const struct fs_entry *e = &r->entries->at[i];
        if (!e->is_directory || e->name.at[0] == '.')
            continue;
        looked_at++;
        if (directory_holds_sql(reading_path(r, e->name).at, 0))
            reading_note(r, e->name,
                         "the SQL files in this directory are not read: %s has none "
                         "below the first level",
                         layout_name(r->layout));
    }
}

/* Passes a file through the digest and, unless it is opaque, through the header scan. */
static bool read_pieces(struct layout_reading *r, const struct byte_source *source, bool is_opaque,
                        struct digest *out, struct fail *f)
{
    struct digest_stream *digest = digest_start();
    uint64_t offset = 0;
    bool is_done = false;
    for (;;) {
        /* Asking for no more than the size spares the call that would only find the end. */
        uint64_t rest = source->size_bytes > offset ? source->size_bytes - offset : 0;
        size_t room = rest < PIECE_BYTES ? (size_t)rest : PIECE_BYTES;
        size_t len = 0;
        if (room && !byte_source_read(source, offset, r->bytes->at, room, &len, f))
            break;
        is_done = len == 0;
        if (is_done)
            break;
        struct str piece = {.at = r->bytes->at, .len = len};
        digest_add(digest, piece);
        if (!is_opaque && !header_scan_add(r->scan, piece, f))
            break;
        offset += len;
    }
    if (!is_done) {
        digest_abandon(digest);
        return false;
    }
    *out = digest_finish(digest);
    return true;
}

bool reading_open(struct layout_reading *r, struct migration *m, bool is_one_way,
                  struct header *out_header, struct fail *f)
{
    struct byte_source source;
    if (!byte_source_open(m->path.at, &source, f))
        return f->hint ? false : fail_hint(f, "All migrations must be readable before one is run.");
    size_t room = source.size_bytes < PIECE_BYTES ? (size_t)source.size_bytes : PIECE_BYTES;
    if (!buf_reserve(r->bytes, room))
        BUG("scratch memory has no room for one piece");
    struct header_rules rules = {
        .layout = r->layout, .engine = r->engine, .is_one_way = is_one_way};
    header_scan_start(r->scan, rules, m->path);
    bool is_read = read_pieces(r, &source, m->is_opaque, &m->checksums.raw, f);
    m->size_bytes = source.size_bytes;
    byte_source_close(&source);
    if (!is_read)
        return false;
    *out_header = (struct header){.up = {.to = UINT64_MAX}};
    if (!m->is_opaque && !header_scan_finish(r->scan, out_header, f))
        return false;
    m->up = out_header->up;
    if (out_header->has_down) {
        m->down_path = m->path;
        m->down = out_header->down;
    }
    m->transaction = out_header->transaction;
    m->lock_timeout_ms = out_header->lock_timeout_ms;
    m->statement_timeout_ms = out_header->statement_timeout_ms;
    return true;
}

void reading_add_down(struct layout_reading *r, struct str version, struct str script)
{
    struct down_file down = {.version = version, .path = reading_path(r, script)};
    vec_push(r->a, &r->downs, down);
}

static bool too_many(struct fail *f)
{
    fail_set(f, EXIT_USAGE, "more than %d migrations", LIMIT_MIGRATIONS);
    return fail_hint(f, "Give a directory that holds migrations only.");
}

bool reading_add(struct layout_reading *r, struct migration *m, bool is_one_way, struct fail *f)
{
    if (r->out->count >= LIMIT_MIGRATIONS)
        return too_many(f);
    m->layout = r->layout;
    m->path = reading_path(r, m->script);
    struct header header;
    if (!reading_open(r, m, is_one_way, &header, f))
        return false;
    m->has_placeholders = r->layout == LAYOUT_FLYWAY && header.has_placeholder;
    if (header.is_sqlx_opt_out) {
        if (r->layout == LAYOUT_SQLX)
            m->transaction = TRANSACTION_NONE;
        vec_push(r->a, &r->sqlx_opt_outs, r->out->count);
    }
    r->has_sqlx_template |= header.has_sqlx_template;
    vec_push(r->a, r->out, *m);
    return true;
}
