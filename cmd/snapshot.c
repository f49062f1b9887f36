/* migrate snapshot: the profile of a database that plan --snapshot begins with. Reads only. */
#include "cmd/command.h"
#include "cmd/session.h"
#include "core/base/fs.h"
#include "core/base/log.h"

static bool print(const struct options *o, const struct catalog *c, struct fail *f)
{
    SCOPED(json) struct json *j = catalog_json(c);
    SCOPED(buf) struct buf text = {0};
    json_print(&text, j, true);
    buf_add_char(&text, '\n');
    if (o->out)
        return fs_replace(o->out, buf_str(&text), f) ||
               fail_hint(f, "--out names a file in a directory that is there.");
    (void)fwrite(buf_cstr(&text), 1, text.len, stdout);
    return true;
}

static bool read_and_print(struct session *s, struct fail *f)
{
    struct catalog *c;
    if (!s->driver->read_catalog) {
        fail_set(f, EXIT_USAGE, "there are no snapshots of %s", engine_name(s->url.engine));
        return fail_hint(f, "The file is its own: give plan a copy of it.");
    }
    return session_connect(s, true, f) &&
           s->driver->identity(s->arena, s->connection, &s->server, f) &&
           session_read_catalog(s, &c, f) && print(s->options, c, f);
}

enum exit_code cmd_snapshot(struct arena *a, const struct options *o, struct fail *f)
{
    struct session s;
    if (!session_start(a, o, &s, f))
        return f->code;
    (void)!read_and_print(&s, f);
    session_close(&s);
    return fail_is_set(f) ? f->code : EXIT_DONE;
}
