/*
 * One file named by the user instead of a directory. Its name need not fit any layout; the markers in
 * it say whose it is, and so which part of it goes up.
 */
#include "core/base/fs.h"
#include "drivers/source/directory.h"
#include "drivers/source/layout_reader.h"

/* Markers stand near the top; a first piece is enough to tell whose they are. */
#define LOOK_BYTES ((size_t)64 << 10)

static bool find_layout(const char *path, enum layout *out, struct fail *f)
{
    struct byte_source source;
    char bytes[4096];
    SCOPED(buf) struct buf text = {0};
    size_t len = 0;
    if (!byte_source_open(path, &source, f))
        return f->hint ? false : fail_hint(f, "Name a file of SQL, or - for standard input.");
    bool is_read;
    do {
        is_read = byte_source_read(&source, text.len, bytes, sizeof(bytes), &len, f);
        if (is_read)
            buf_add(&text, bytes, len);
    } while (is_read && len && text.len < LOOK_BYTES);
    byte_source_close(&source);
    *out = LAYOUT_PLAIN;
    struct str rest = buf_str(&text);
    while (is_read && rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        enum marker marker = marker_of_line(line);
        if (marker != MARKER_NONE && marker_row(marker)->changes_text &&
            marker_row(marker)->layout != LAYOUT_AUTO) {
            *out = marker_row(marker)->layout;
            break;
        }
    }
    return is_read;
}

bool directory_read_file(struct arena *a, struct str path, enum engine engine,
                         struct migration *out, struct fail *f)
{
    SCOPED(arena) struct arena *scratch = arena_make();
    SCOPED(buf) struct buf bytes = {0};
    struct layout_reading reading = {
        .a = a,
        .engine = engine,
        .bytes = &bytes,
        .scan = arena_new(scratch, struct header_scan),
    };
    *out = (struct migration){
        .kind = MIGRATION_VERSIONED,
        .path = arena_str(a, path),
        .script = arena_str(a, fs_basename(path)),
    };
    if (!find_layout(out->path.at, &reading.layout, f))
        return false;
    struct numbered_name name;
    out->layout = reading.layout;
    out->version = out->script;
    if (numbered_name_parse(out->script, &name)) {
        out->version = name.number;
        out->description = numbered_describe(a, &name);
    }
    struct header header;
    return reading_open(&reading, out, false, &header, f);
}
