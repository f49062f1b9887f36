/*
 * migrate new: the next numbered file, in the layout that the directory has. The number follows its
 * neighbours: a time stamp where they are time stamps, else one more with the same width; and always
 * one that sorts behind them, also when a neighbour's clock is ahead or two are made in one second.
 */
#include "cmd/command.h"
#include "cmd/session.h"
#include "cmd/terminal.h"
#include "core/base/fs.h"
#include "drivers/source/directory.h"

#include <time.h>

/* A comment that begins with "migrate:" is a directive, so the examples are in quotes. */
#define DIRECTIVES                                                                                 \
    "-- A comment of its own steers how this file is run, for example:\n"                          \
    "--   `-- migrate: no-transaction`                      each statement on its own\n"           \
    "--   `-- migrate: timeout lock=2s statement=10min`     limits for this file\n\n"

/* How a layout names and frames a new migration. {v} version, {n} name. */
struct form {
    enum layout layout;
    const char *up_name;
    const char *up_text;
    const char *down_name; /* or NULL */
};

static const struct form forms[] = {
    {LAYOUT_PLAIN, "{v}_{n}.sql", DIRECTIVES, NULL},
    {LAYOUT_FLYWAY, "V{v}__{n}.sql", DIRECTIVES, NULL},
    {LAYOUT_GOLANG_MIGRATE, "{v}_{n}.up.sql", DIRECTIVES, "{v}_{n}.down.sql"},
    {LAYOUT_DBMATE, "{v}_{n}.sql", "-- migrate:up\n\n-- migrate:down\n", NULL},
    {LAYOUT_GOOSE, "{v}_{n}.sql", "-- +goose Up\n\n-- +goose Down\n", NULL},
    {LAYOUT_PRISMA, "{v}_{n}/migration.sql", DIRECTIVES, NULL},
    {LAYOUT_DIESEL, "{v}_{n}/up.sql", DIRECTIVES, "{v}_{n}/down.sql"},
    {LAYOUT_SQLX, "{v}_{n}.sql", DIRECTIVES, NULL},
};

static const struct form *form_of(enum layout layout, struct fail *f)
{
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (forms[i].layout == layout)
            return &forms[i];
    }
    fail_set(f, EXIT_USAGE, "a new migration of layout %s must be made by its own tool",
             layout_name(layout));
    fail_hint(f, "Its journal is written together with the file: drizzle-kit generate.");
    return NULL;
}

/* "Add e-mail to users" → "add_e_mail_to_users". */
static struct str file_name_of(struct arena *a, const struct options *o)
{
    SCOPED(buf) struct buf name = {0};
    for (size_t i = 0; i < o->arguments.count; i++) {
        if (i)
            buf_add_char(&name, '_');
        for (const char *at = o->arguments.at[i]; *at; at++) {
            bool is_kept = char_is_alpha(*at) || char_is_digit(*at) || (unsigned char)*at >= 0x80;
            bool is_doubled = !is_kept && name.len && name.at[name.len - 1] == '_';
            if (!is_doubled)
                buf_add_char(&name, is_kept ? char_lower(*at) : '_');
        }
    }
    struct str text = buf_str(&name);
    while (text.len && text.at[0] == '_')
        text = str_skip(text, 1);
    while (text.len && text.at[text.len - 1] == '_')
        text.len--;
    return arena_str(a, text);
}

static struct str digits_of(struct str version)
{
    size_t len = 0;
    while (len < version.len && char_is_digit(version.at[len]))
        len++;
    return (struct str){version.at, len};
}

#define STAMP_FORMAT "%Y%m%d%H%M%S"
#define STAMP_LEN 14

static const char *stamp_of(struct arena *a, time_t when)
{
    struct tm parts;
    char text[32];
    if (!gmtime_r(&when, &parts))
        BUG("a clock outside the calendar");
    (void)strftime(text, sizeof(text), STAMP_FORMAT, &parts);
    return arena_cstr(a, str_of(text));
}

/* One more, as a number of as many digits (or one more). */
static const char *number_behind(struct arena *a, struct str digits)
{
    char *text = arena_cstr(a, digits);
    size_t at = digits.len;
    while (at > 0 && text[at - 1] == '9')
        text[--at] = '0';
    if (at == 0)
        return arena_printf(a, "1%s", text);
    text[at - 1]++;
    return text;
}

/* The second behind a time stamp. What has its length but is no time is counted on as a number. */
static const char *stamp_behind(struct arena *a, struct str digits)
{
    struct tm parts = {0};
    const char *text = arena_cstr(a, digits);
    const char *end = digits.len == STAMP_LEN ? strptime(text, STAMP_FORMAT, &parts) : NULL;
    if (end && !*end) {
        time_t when = timegm(&parts);
        if (strcmp(stamp_of(a, when), text) == 0) /* and not the 31st of February */
            return stamp_of(a, when + 1);
    }
    return number_behind(a, digits);
}

/* The version that sorts behind all others; empty where there is none. */
static struct str last_version(const struct migrations *files)
{
    struct str last = {0};
    for (size_t i = 0; i < files->count; i++) {
        const struct migration *m = &files->at[i];
        if (m->kind != MIGRATION_REPEATABLE &&
            (!last.len || version_compare(files->order, m->version, last) > 0))
            last = m->version;
    }
    return last;
}

static bool wants_stamp(enum layout layout, struct str last_digits)
{
    bool is_always = layout == LAYOUT_PRISMA || layout == LAYOUT_DIESEL;
    bool is_usual = layout == LAYOUT_DBMATE || layout == LAYOUT_SQLX;
    return is_always || last_digits.len >= 12 || (is_usual && !last_digits.len);
}

/* Always new, and behind every version that is there; NULL and a failure where there is no such. */
static const char *next_version(struct arena *a, const struct migrations *files, bool is_stamp,
                                struct fail *f)
{
    struct str last = last_version(files);
    struct str digits = digits_of(last);
    const char *version = "";
    if (is_stamp || wants_stamp(files->layout, digits)) {
        version = stamp_of(a, time(NULL));
        if (last.len && version_compare(files->order, str_of(version), last) <= 0)
            version = stamp_behind(a, digits);
    } else if (digits.len) {
        version = number_behind(a, digits);
    } else {
        version = files->layout == LAYOUT_FLYWAY ? "1" : "0001";
    }
    if (!last.len || version_compare(files->order, str_of(version), last) > 0)
        return version;
    fail_set(f, EXIT_USAGE, "no new version sorts behind \"%.*s\"", STR_ARG(last));
    fail_hint(f,
              "Layout %s compares versions as texts: write the next file by hand, under a name "
              "that sorts last.",
              layout_name(files->layout));
    return NULL;
}

/* diesel writes the time stamp 20261120204300 as 2026-11-20-204300. */
static const char *written_version(struct arena *a, enum layout layout, const char *version)
{
    if (layout != LAYOUT_DIESEL || strlen(version) != STAMP_LEN)
        return version;
    return arena_printf(a, "%.4s-%.2s-%.2s-%s", version, version + 4, version + 6, version + 8);
}

static const char *fill(struct arena *a, const char *pattern, const char *version, struct str name)
{
    SCOPED(buf) struct buf text = {0};
    for (const char *at = pattern; *at; at++) {
        if (strncmp(at, "{v}", 3) == 0)
            buf_add_cstr(&text, version), at += 2;
        else if (strncmp(at, "{n}", 3) == 0)
            buf_add_str(&text, name), at += 2;
        else
            buf_add_char(&text, *at);
    }
    return arena_cstr(a, buf_str(&text));
}

static bool write_file(struct arena *a, struct str directory, const char *name, struct str text,
                       struct fail *f)
{
    const char *path = fs_join(a, directory, str_of(name));
    if (!fs_make_directories(arena_cstr(a, fs_dirname(str_of(path))), f) ||
        !fs_write_new(path, text, f))
        return f->hint ? false : fail_hint(f, "Is the directory writable?");
    terminal_print("%s\n", path);
    return true;
}

enum exit_code cmd_new(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    struct str name = file_name_of(a, o);
    if (!name.len) {
        fail_set(f, EXIT_USAGE, "the name of a migration needs letters or digits");
        fail_hint(f, "For example: migrate new \"add email to users\"");
        return f->code;
    }
    struct str directory;
    if (!session_start_files(a, o, &s, f) || !session_first_directory(&s, &directory, f) ||
        !session_read_migrations(&s, f))
        return f->code;
    enum layout layout = s.migrations.layout == LAYOUT_AUTO ? LAYOUT_PLAIN : s.migrations.layout;
    const struct form *form = form_of(layout, f);
    if (!form)
        return f->code;
    const char *version = next_version(a, &s.migrations, o->timestamp, f);
    if (!version)
        return f->code;
    version = written_version(a, layout, version);
    bool wants_down = form->down_name != NULL;
    for (size_t i = 0; layout == LAYOUT_DIESEL && i < s.migrations.count; i++)
        wants_down = s.migrations.at[i].down_path.len > 0;
    if (!write_file(a, directory, fill(a, form->up_name, version, name), str_of(form->up_text), f))
        return f->code;
    if (wants_down)
        (void)write_file(a, directory, fill(a, form->down_name, version, name), STR(""), f);
    return f->code;
}
