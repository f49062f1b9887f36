/* Online forms as files: see plan_write.h. */
#include "cmd/plan_write.h"

#include "cmd/report.h"
#include "cmd/terminal.h"
#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/vec.h"

#define SQL_SHOWN 70

/* One migration while it is written. */
struct writing {
    struct arena *a;
    const struct migration *migration;
    const struct online_forms *forms;
    struct str bytes; /* of its file */
    size_t done;      /* so many of them are copied or replaced */
    struct buf *out;
    size_t steps;
};

/* What was written, and where it belongs. */
struct written {
    const struct migration *migration;
    const char *path;
    struct str text;
    size_t statements, steps;
    bool has_secret;
};

bool plan_write_options(struct options *o, struct fail *f)
{
    if (!o->write)
        return true;
    if (o->format) {
        fail_set(f, EXIT_USAGE, "--write and --format exclude each other");
        return fail_hint(f, "--write gives SQL in place of a plan.");
    }
    if (o->rewrite && strcmp(o->rewrite, "off") == 0) {
        fail_set(f, EXIT_USAGE, "--write and --rewrite off exclude each other");
        return fail_hint(f, "--write gives the online forms, and off looks for none.");
    }
    for (size_t i = 0; i < o->arguments.count; i++) {
        if (strcmp(o->arguments.at[i], "-") != 0 || strcmp(o->write, "-") == 0)
            continue;
        fail_set(f, EXIT_USAGE, "standard input has no name to write a file under");
        return fail_hint(f, "Give --write - with it.");
    }
    o->rewrite = "auto";
    return true;
}

/* ---- the text around ---- */

static void copy_up_to(struct writing *w, size_t offset)
{
    buf_add(w->out, w->bytes.at + w->done, offset - w->done);
    w->done = offset;
}

static bool is_allowance_of(const struct statement *s, uint32_t line)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        if (s->directives.at[i].kind == DIRECTIVE_ALLOW && s->directives.at[i].line == line)
            return true;
    }
    return false;
}

/* Where the directive of a line begins; SIZE_MAX: it has none. */
static size_t find_directive(struct str line)
{
    size_t at = str_find(line, STR("--"));
    while (at != SIZE_MAX) {
        struct str behind = str_trim(str_skip(line, at + 2));
        if (str_starts(behind, STR("migrate:")))
            return at;
        size_t next = str_find(str_skip(line, at + 1), STR("--"));
        at = next == SIZE_MAX ? SIZE_MAX : at + 1 + next;
    }
    return SIZE_MAX;
}

/* What is between two statements, but for what allows a finding of the second: its steps say that. */
static void copy_without_allowances(struct writing *w, const struct statement *s, size_t offset)
{
    struct str rest = str_range(w->bytes.at + w->done, w->bytes.at + offset);
    struct str before = {w->bytes.at, w->done};
    uint32_t number = 1 + (uint32_t)text_count_lines(before);
    for (; rest.len; number++) {
        size_t newline = str_find_char(rest, '\n');
        struct str line = {rest.at, newline == SIZE_MAX ? rest.len : newline + 1};
        rest = str_skip(rest, line.len);
        size_t comment = is_allowance_of(s, number) ? find_directive(line) : SIZE_MAX;
        struct str kept = comment == SIZE_MAX ? line : (struct str){line.at, comment};
        if (comment != SIZE_MAX && !str_trim(kept).len)
            continue;
        buf_add_str(w->out, kept);
        if (comment != SIZE_MAX)
            buf_add_char(w->out, '\n');
    }
    w->done = offset;
}

/* ---- the steps ---- */

/* Whether it allows a finding of this statement alone: what stands at the top of a file stays there. */
static const struct directive *allowance(const struct statement *s, size_t number,
                                         const struct hazard *h)
{
    for (size_t i = 0; i < s->directives.count; i++) {
        const struct directive *d = &s->directives.at[i];
        bool is_at_top = number == 0 && d->line < s->line;
        if (d->kind == DIRECTIVE_ALLOW && !is_at_top && str_equal(d->hazard, str_of(h->rule->id)))
            return d;
    }
    return NULL;
}

static void add_allowance(struct buf *out, const struct directive *d)
{
    buf_printf(out, "-- migrate: allow %.*s reason=\"", STR_ARG(d->hazard));
    for (size_t i = 0; i < d->reason.len; i++) {
        if (d->reason.at[i] == '"' || d->reason.at[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, d->reason.at[i]);
    }
    buf_add_cstr(out, "\"\n");
}

static void add_allowances(struct writing *w, const struct statement *s, size_t number,
                           const struct hazards *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct directive *d = allowance(s, number, &found->at[i]);
        bool is_said = false;
        for (size_t k = 0; k < i && !is_said; k++)
            is_said = found->at[k].rule == found->at[i].rule;
        if (d && !is_said)
            add_allowance(w->out, d);
    }
}

/* What makes batches of it again. By pages it is anyway: nothing else makes those. */
static void add_batch_key(struct buf *out, const struct online_range *range)
{
    for (size_t i = 0; i < range->key.count; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "-- migrate: batch key=", STR_ARG(range->key.at[i]));
    if (range->key.count)
        buf_add_char(out, '\n');
}

/* Each is committed by itself, so that no lock is held into the next one; a BEGIN keeps it apart from what is
   around it, also where the file is run by other means. The last semicolon is that of the statement. */
static void add_steps(struct writing *w, const struct statement *s,
                      const struct online_rewritten *r)
{
    const struct online_form *form = r->form;
    for (size_t i = 0; i < form->steps.count; i++) {
        const struct online_step *step = &form->steps.at[i];
        buf_printf(w->out, "%s-- Line %u, step %zu of %zu, %s: %s.\n", i ? ";\n" : "", s->line,
                   i + 1, form->steps.count, phase_name(step->phase), step->does);
        bool is_own = !step->refuses_transaction && step->kind != STEP_BATCHES;
        if (is_own)
            buf_add_cstr(w->out, "BEGIN;\n");
        if (r->found)
            add_allowances(w, s, r->statement, &r->found[i]);
        if (step->kind == STEP_BATCHES)
            add_batch_key(w->out, step->range);
        buf_add_str(w->out, step->sql);
        if (is_own)
            buf_add_cstr(w->out, ";\nCOMMIT");
    }
    w->steps += form->steps.count;
}

static void add_form(struct writing *w, const struct statement *s, const struct online_rewritten *r)
{
    if (w->out->len && w->out->at[w->out->len - 1] != '\n')
        buf_add_char(w->out, '\n');
    struct str sql = report_short_sql(w->a, s->text, SQL_SHOWN);
    buf_printf(w->out, "-- Line %u of %.*s, in its online form (%s):\n--     %.*s\n-- %s\n",
               s->line, STR_ARG(fs_basename(w->migration->path)), r->form->recipe, STR_ARG(sql),
               r->form->why);
    add_steps(w, s, r);
    w->done += s->text.len;
}

/* ---- a file ---- */

static bool read_bytes(struct arena *a, const struct migration *m, struct str *out, struct fail *f)
{
    struct byte_source source;
    if (!byte_source_open(arena_cstr(a, m->path), &source, f))
        return false;
    SCOPED(buf) struct buf bytes = {0};
    char piece[16384];
    size_t len = 1;
    bool is_read = true;
    while (len && (is_read = byte_source_read(&source, bytes.len, piece, sizeof(piece), &len, f)))
        buf_add(&bytes, piece, len);
    byte_source_close(&source);
    *out = buf_done(a, &bytes);
    return is_read;
}

/* Where the executed text begins in the file; SIZE_MAX: it is not there as it is run. */
static size_t find_window(const struct writing *w, struct str window)
{
    size_t from = (size_t)w->migration->up.from;
    if (!from && str_starts(w->bytes, STR("\xEF\xBB\xBF")))
        from = 3;
    return from <= w->bytes.len && str_starts(str_skip(w->bytes, from), window) ? from : SIZE_MAX;
}

static bool refuse_changed(const struct migration *m, struct fail *f)
{
    fail_set(f, EXIT_INTEGRITY, "%.*s was changed while it was planned", STR_ARG(m->path));
    return fail_hint(f, "Run it again.");
}

static bool write_statements(struct writing *w, const struct script *script,
                             const struct script_batch *batch, size_t from, struct fail *f)
{
    struct str window = script_window(script);
    for (size_t i = 0; i < batch->count; i++) {
        const struct statement *s = &batch->statements[i];
        const struct online_rewritten *r = online_find(w->forms, i);
        size_t offset = from + (size_t)(s->text.at - window.at);
        struct digest digest = digest_of(s->text);
        if (r && !digest_equal(&r->digest, &digest))
            return refuse_changed(w->migration, f);
        if (r && i > 0)
            copy_without_allowances(w, s, offset);
        copy_up_to(w, offset);
        if (r)
            add_form(w, s, r);
        else
            copy_up_to(w, offset + s->text.len);
    }
    copy_up_to(w, w->bytes.len);
    return true;
}

static bool has_secret(const struct script_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->statements[i].has_secret)
            return true;
    }
    return false;
}

/* out->text stays empty where it cannot be written, which is told. */
static bool write_migration(struct session *s, const struct planned_migration *m,
                            struct written *out, struct fail *f)
{
    SCOPED(buf) struct buf text = {0};
    struct writing w = {
        .a = s->arena, .migration = m->migration, .forms = &m->online, .out = &text};
    const struct script_context how = session_script_context(s, true);
    SCOPED(script) struct script *script = script_open(m->migration, false, &how, f);
    struct script_batch batch;
    if (!script || !script_next(script, &batch, f) ||
        !read_bytes(s->arena, m->migration, &w.bytes, f))
        return false;
    *out = (struct written){.migration = m->migration, .statements = m->online.count};
    size_t from = find_window(&w, script_window(script));
    if (from == SIZE_MAX) {
        log_line(LOG_WARN, "%.*s is not written: placeholders are replaced in it",
                 STR_ARG(m->migration->path));
        return true;
    }
    out->has_secret = has_secret(&batch);
    if (!write_statements(&w, script, &batch, from, f))
        return false;
    out->steps = w.steps;
    out->text = buf_done(s->arena, &text);
    return true;
}

/* ---- all of them ---- */

struct writes {
    struct written *at;
    size_t count, room;
};

static const char *target_path(struct arena *a, const char *directory, const struct migration *m)
{
    bool is_within =
        m->script.len && m->script.at[0] != '/' && str_find(m->script, STR("..")) == SIZE_MAX;
    return fs_join(a, str_of(directory), is_within ? m->script : fs_basename(m->path));
}

static bool is_free(const struct writes *all, const char *path, struct fail *f)
{
    bool is_taken = fs_exists(path);
    for (size_t i = 0; i < all->count && !is_taken; i++)
        is_taken = all->at[i].path && strcmp(all->at[i].path, path) == 0;
    if (!is_taken)
        return true;
    fail_set(f, EXIT_USAGE, "%s is already there", path);
    return fail_hint(f, "Nothing was written. Give --write a directory without such a file.");
}

/* SQLite: what the pragma was before, and shall be again behind the step, no file can say. */
static bool switches_keys(const struct planned_migration *m)
{
    for (size_t i = 0; i < m->online.count; i++) {
        const struct online_form *form = m->online.at[i].form;
        for (size_t k = 0; k < form->steps.count; k++) {
            if (str_starts(form->steps.at[k].sql, STR("PRAGMA foreign_keys")))
                return true;
        }
    }
    return false;
}

static bool collect(struct session *s, const char *directory, const struct selection *selection,
                    const struct plan *plan, struct writes *out, struct fail *f)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *m = &plan->migrations[i];
        struct written one;
        if (!m->online.count)
            continue;
        if (selection->rows && selection->rows[i]) {
            log_line(LOG_WARN, "%.*s is not written: it is begun, and is ended as it was begun",
                     STR_ARG(m->migration->path));
            continue;
        }
        if (m->wait_unit) {
            log_line(LOG_WARN,
                     "%.*s is not written: some of its steps wait for migrate contract, which a "
                     "file cannot",
                     STR_ARG(m->migration->path));
            continue;
        }
        if (planned_skips_triggers(m)) {
            log_line(LOG_WARN,
                     "%.*s is not written: batches that skip triggers cannot stand in a file",
                     STR_ARG(m->migration->path));
            continue;
        }
        if (switches_keys(m)) {
            log_line(LOG_WARN,
                     "%.*s is not written: it builds a table anew with foreign keys off for that "
                     "step alone, which a file cannot",
                     STR_ARG(m->migration->path));
            continue;
        }
        if (!write_migration(s, m, &one, f))
            return false;
        if (!one.text.len)
            continue;
        if (directory) {
            one.path = target_path(s->arena, directory, m->migration);
            if (!is_free(out, one.path, f))
                return false;
        }
        vec_push(s->arena, out, one);
    }
    return true;
}

static bool write_files(const struct writes *all, struct fail *f)
{
    SCOPED(arena) struct arena *a = arena_make();
    for (size_t i = 0; i < all->count; i++) {
        const struct written *one = &all->at[i];
        const char *above = arena_cstr(a, fs_dirname(str_of(one->path)));
        if (!fs_make_directories(above, f) || !fs_write_new(one->path, one->text, f))
            return f->hint ? false : fail_hint(f, "Is the directory writable?");
        terminal_print("%s: %zu statement%s in %zu step%s\n", one->path, one->statements,
                       one->statements == 1 ? "" : "s", one->steps, one->steps == 1 ? "" : "s");
    }
    return true;
}

static void print_files(const struct writes *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct written *one = &all->at[i];
        if (one->has_secret) {
            log_line(LOG_WARN, "%.*s is not printed, since it holds a password: --write DIR",
                     STR_ARG(one->migration->path));
            continue;
        }
        if (all->count > 1)
            printf("%s-- %.*s\n", i ? "\n" : "", STR_ARG(fs_basename(one->migration->path)));
        fwrite(one->text.at, 1, one->text.len, stdout);
    }
}

bool plan_write(struct session *s, const char *directory, const struct selection *selection,
                const struct plan *plan, struct fail *f)
{
    bool is_printed = strcmp(directory, "-") == 0;
    struct writes all = {0};
    if (!collect(s, is_printed ? NULL : directory, selection, plan, &all, f))
        return false;
    if (!all.count)
        log_line(LOG_NOTE, "nothing that is pending has an online form: nothing is written");
    if (is_printed)
        print_files(&all);
    return is_printed || write_files(&all, f);
}
