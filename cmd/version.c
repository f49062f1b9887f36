/* Versions of migrate and of every library, at build and at run time. */
#include "cmd/command.h"
#include "core/base/json.h"
#include "core/base/libraries.h"
#include "drivers/drivers.h"
#include "drivers/source/git.h"
#include "planner/planner.h"

#ifndef MIGRATE_VERSION
#error "the Makefile defines MIGRATE_VERSION"
#endif

const char *migrate_version(void)
{
    return MIGRATE_VERSION;
}

struct library {
    const char *name;
    const char *at_build;
    const char *at_run_time; /* NULL: cannot be loaded here */
};

static const char *driver_version(enum engine e, bool is_runtime)
{
    return driver_for(e)->library_version(is_runtime);
}

enum exit_code cmd_version(struct arena *a, const struct options *o, struct fail *f)
{
    (void)a;
    (void)f;
    const struct library libraries[] = {
        {"libpq", driver_version(ENGINE_POSTGRES, false), driver_version(ENGINE_POSTGRES, true)},
        {"sqlite", driver_version(ENGINE_SQLITE, false), driver_version(ENGINE_SQLITE, true)},
        {"libpg_query", parser_version(false), parser_version(true)},
        {"libgit2", git_library_version(false), git_library_version(true)},
        {"jansson", json_library_version(false), json_library_version(true)},
        {"libyaml", yaml_library_version(false), yaml_library_version(true)},
        {"libcrypto", digest_library_version(false), digest_library_version(true)},
    };
    if (o->json) {
        SCOPED(json) struct json *root = json_make_object();
        json_set_cstr(root, "version", MIGRATE_VERSION);
        json_set_cstr(root, "commit", MIGRATE_COMMIT);
        struct json *list = json_make_object();
        for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
            struct json *one = json_make_object();
            json_set_cstr(one, "build", libraries[i].at_build);
            json_set_cstr(one, "runtime", libraries[i].at_run_time);
            json_set(list, libraries[i].name, one);
        }
        json_set(root, "libraries", list);
        SCOPED(buf) struct buf text = {0};
        json_print(&text, root, true);
        puts(buf_cstr(&text));
        return EXIT_DONE;
    }
    printf("migrate %s%s%s%s\n", MIGRATE_VERSION, MIGRATE_COMMIT[0] ? " (" : "", MIGRATE_COMMIT,
           MIGRATE_COMMIT[0] ? ")" : "");
    for (size_t i = 0; i < ARRAY_LEN(libraries); i++)
        printf("  %-12s %-12s built with %s\n", libraries[i].name,
               libraries[i].at_run_time ? libraries[i].at_run_time : "not found",
               libraries[i].at_build);
    return EXIT_DONE;
}
