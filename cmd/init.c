/* migrate init: a configuration, a directory, and line ends that stay. Never overwrites. */
#include "cmd/command.h"
#include "cmd/terminal.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/model/config.h"

#define MIGRATIONS_NAME "db/migrations"

static bool write_if_absent(const char *path, struct str text, struct fail *f)
{
    if (fs_exists(path)) {
        log_line(LOG_NOTE, "%s is there already: left as it is", path);
        return true;
    }
    if (!fs_write_new(path, text, f))
        return fail_is_set(f) && !f->hint
                   ? fail_hint(f, "Run it in a directory that you may write to.")
                   : false;
    terminal_print("made %s\n", path);
    return true;
}

enum exit_code cmd_init(struct arena *a, const struct options *o, struct fail *f)
{
    if (o->arguments.count && strstr(o->arguments.at[0], "://")) {
        fail_set(f, EXIT_USAGE, "init takes a directory, not a URL");
        fail_hint(f, "The database is named in migrator.yml, or with --url.");
        return f->code;
    }
    const char *base = o->arguments.count ? arena_printf(a, "%s/", o->arguments.at[0]) : "";
    const char *migrations = arena_printf(a, "%s%s", base, MIGRATIONS_NAME);
    bool is_new = !fs_is_directory(migrations);
    SCOPED(buf) struct buf example = {0};
    config_print_example(&example);
    if (!fs_make_directories(migrations, f))
        return f->code;
    if (is_new)
        terminal_print("made %s\n", migrations);
    if (!write_if_absent(arena_printf(a, "%smigrator.yml", base), buf_str(&example), f) ||
        !write_if_absent(
            arena_printf(a, "%s/.gitattributes", migrations),
            STR("# The bytes of a migration are its identity: no line-end conversion.\n"
                "*.sql text eol=lf\n"),
            f))
        return f->code;
    puts("next: put the database into migrator.yml (or into DATABASE_URL), then\n"
         "      migrate new \"create users\", migrate plan, migrate apply");
    return EXIT_DONE;
}
