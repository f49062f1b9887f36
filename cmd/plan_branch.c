/* See plan_branch.h. */
#include "cmd/plan_branch.h"

#include "core/base/fs.h"
#include "core/base/log.h"
#include "core/base/vec.h"
#include "core/run/branch.h"
#include "drivers/source/git.h"
#include "drivers/source/git_branch.h"
#include "planner/rules_history.h"

/* --base -: none, whatever is configured. */
#define NO_BASE "-"

/* ---- options ---- */

static bool refuse_together(const char *what, struct fail *f)
{
    fail_set(f, EXIT_USAGE, "--base and --rev do not go with %s", what);
    return fail_hint(f, "They plan the migrations of a commit: give a directory "
                        "with --dir, or leave "
                        "them out.");
}

/* In a view of a commit a path without "./" is the commit's. */
static const char *on_disk(struct arena *a, const char *path)
{
    bool is_plain = path && path[0] != '/' && path[0] != '.' && fs_exists(path);
    return is_plain ? arena_printf(a, "./%s", path) : path;
}

bool plan_branch_options(struct arena *a, struct options *o, struct fail *f)
{
    if (!o->base && !o->rev)
        return true;
    if (o->arguments.count)
        return refuse_together("files", f);
    if (o->to || o->steps)
        return refuse_together("--to and --steps", f);
    o->schema = on_disk(a, o->schema);
    o->snapshot = on_disk(a, o->snapshot);
    if (!o->url && !o->target)
        o->offline = true;
    return true;
}

void plan_branch_settle(struct session *s, struct options *o)
{
    if (!o->rev || o->base || !s->config.base.len)
        return;
    o->base = arena_cstr(s->arena, s->config.base);
}

bool plan_branch_is_wanted(const struct session *s)
{
    return s->options->base && strcmp(s->options->base, NO_BASE) != 0;
}

const char *plan_branch_base(const struct session *s)
{
    return plan_branch_is_wanted(s) ? s->options->base : NULL;
}

/* ---- reading ---- */

/* What is not committed is not in the plan, and whoever has just written it
 * must know. */
static void warn_of_changes(struct session *s, const struct source_request *r)
{
    for (size_t i = 0; i < r->count; i++) {
        SCOPED(fail)
        struct fail ignored = FAIL_NONE; /* a directory that is only committed */
        struct git_place place;
        const char *path = arena_cstr(s->arena, r->directories[i]);
        if (git_describe_place(s->arena, path, &place, &ignored) && place.is_repository &&
            !place.is_clean)
            log_line(LOG_WARN, "%s has changes that are not committed: planned is what is in HEAD",
                     path);
    }
}

bool plan_branch_read(struct session *s, bool is_branch, struct fail *f)
{
    struct source_request source;
    if (!session_find_source(s, s->arena, &source, f))
        return false;
    if (!s->options->rev)
        warn_of_changes(s, &source);
    const struct git_branch_request request = {
        .directories = source.directories,
        .count = source.count,
        .base = is_branch ? s->options->base : NULL,
        .rev = s->options->rev,
    };
    if (!git_branch_open(s->arena, &request, &s->branch, f) ||
        !git_branch_read(s->arena, s->branch, GIT_HEAD, source.layout, source.engine,
                         &s->migrations, f))
        return false;
    session_take_placeholders(s);
    return true;
}

static bool compare(struct session *s, struct migrations *base, struct fail *f)
{
    struct source_request source;
    struct migrations *fork = arena_new(s->arena, struct migrations);
    if (!session_find_source(s, s->arena, &source, f))
        return false;
    enum layout layout = s->migrations.count ? s->migrations.layout : source.layout;
    if (!git_branch_read(s->arena, s->branch, GIT_BASE, layout, source.engine, base, f) ||
        !git_branch_read(s->arena, s->branch, GIT_FORK, layout, source.engine, fork, f))
        return false;
    if (!base->count && s->migrations.count)
        log_line(LOG_WARN,
                 "%s has none of these migrations, so all count as new (was the directory moved?)",
                 s->options->base);
    const struct branch_request request = {
        .fork = fork,
        .base = base,
        .head = &s->migrations,
        .read_digests = session_read_digests,
        .context = s,
    };
    s->added = arena_new(s->arena, struct branch);
    return branch_compare(s->arena, &request, s->added, f);
}

/* ---- what is planned ---- */

static bool is_pending(const struct reconciliation *r, const struct migration *m)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].migration == m)
            return reconciled_is_pending(&r->at[i]);
    }
    return false;
}

/* A baseline stands for the versions up to its own: where those are there, it
 * is not run. */
static bool is_covered(const struct migrations *all, const struct migration *m)
{
    if (m->kind != MIGRATION_BASELINE)
        return false;
    for (size_t i = 0; i < all->count; i++) {
        if (all->at[i].kind == MIGRATION_VERSIONED &&
            version_compare(all->order, all->at[i].version, m->version) <= 0)
            return true;
    }
    return false;
}

/* The merged ones: all, or those that a connected target does not have yet. */
static bool select_before(struct session *s, const struct migrations *base, struct selection *out,
                          struct fail *f)
{
    struct reconciliation r = {0};
    out->before = arena_array(s->arena, const struct migration *, base->count + 1);
    if (s->options->schema || s->options->snapshot)
        return true;
    if (s->connection && !reconcile(s->arena, base, &s->history, session_read_digests, s, &r, f))
        return false;
    for (size_t i = 0; i < base->count; i++) {
        const struct migration *m = &base->at[i];
        if (m->is_opaque || is_covered(base, m) || (s->connection && !is_pending(&r, m)))
            continue;
        out->before[out->before_count++] = m;
    }
    return true;
}

/* ---- what is wrong with the files ---- */

#define COMPARED_MAX_BYTES ((size_t)64 << 20)

static struct str line_of(struct str *text)
{
    struct str line;
    *text = str_cut_line(*text, &line);
    return line;
}

/* The first line that is another one now. Line ends do not count. */
static void find_line(struct session *s, const struct branch_finding *b, struct file_finding *out)
{
    SCOPED(fail)
    struct fail ignored = FAIL_NONE; /* too large to be shown: the file is enough */
    struct str now;
    struct str was;
    const char *here = arena_cstr(s->arena, b->migration->path);
    const char *there = arena_cstr(s->arena, b->other->path);
    if (!fs_read(s->arena, here, COMPARED_MAX_BYTES, &now, &ignored) ||
        !fs_read(s->arena, there, COMPARED_MAX_BYTES, &was, &ignored))
        return;
    for (uint32_t number = 1; now.len; number++) {
        struct str line = line_of(&now);
        bool is_same = was.len && str_equal(line, line_of(&was));
        if (is_same)
            continue;
        out->line = number;
        out->excerpt = line;
        return;
    }
}

static enum git_side git_side_of(enum branch_side side)
{
    return side == BRANCH_OF_BASE ? GIT_BASE : side == BRANCH_OF_FORK ? GIT_FORK : GIT_HEAD;
}

/* ", by Ann in 1a2b3c4d5e6f"; "" where it is not known. */
static const char *by(struct arena *a, const struct git_change *c)
{
    return c->commit[0] ? arena_printf(a, " (%s in %.12s)", c->author, c->commit) : "";
}

static const char *message_of(struct session *s, const struct branch_finding *b,
                              const struct git_change *here)
{
    struct arena *a = s->arena;
    const char *base = s->options->base;
    struct str label = migration_label(b->migration);
    struct str other = git_branch_path(s->branch, git_side_of(b->other_side), b->other->path);
    struct git_change there = git_branch_last_change(a, s->branch, GIT_BASE, other);
    switch (b->problem) {
    case BRANCH_EDITED:
        return arena_printf(a, "%.*s is merged to %s and was edited since%s%s", STR_ARG(label),
                            base, by(a, here),
                            b->change == CHANGE_COMMENTS ? "; its statements are the same" : "");
    case BRANCH_DELETED:
        return arena_printf(a, "%.*s is merged to %s and was deleted%s", STR_ARG(label), base,
                            by(a, here));
    case BRANCH_RENAMED:
        return arena_printf(a, "this is %.*s, merged to %s, under another name%s%s", STR_ARG(other),
                            base, b->change == CHANGE_SQL ? " and with other statements" : "",
                            by(a, here));
    case BRANCH_DUPLICATE:
        if (b->other_side == BRANCH_OF_HEAD)
            return arena_printf(a, "version %.*s is that of %.*s as well", STR_ARG(label),
                                STR_ARG(other));
        return arena_printf(a, "version %.*s is taken: %s has %.*s%s", STR_ARG(label), base,
                            STR_ARG(other), by(a, &there));
    case BRANCH_OUT_OF_ORDER:
        return arena_printf(a, "%.*s sorts before %.*s, which is merged to %s%s", STR_ARG(label),
                            STR_ARG(other), base, by(a, &there));
    }
    BUG("a finding of no kind");
}

static const char *rule_of(enum branch_problem problem)
{
    switch (problem) {
    case BRANCH_EDITED:
    case BRANCH_DELETED:
    case BRANCH_RENAMED:
        return RULE_EDITED;
    case BRANCH_DUPLICATE:
        return RULE_DUPLICATE;
    case BRANCH_OUT_OF_ORDER:
        return RULE_OUT_OF_ORDER;
    }
    BUG("a finding of no kind");
}

static void add_file(struct session *s, const struct branch_finding *b,
                     const struct hazard_policy *policy, struct selection *out)
{
    enum git_side side = b->problem == BRANCH_DELETED ? GIT_FORK : GIT_HEAD;
    struct str path = git_branch_path(s->branch, side, b->migration->path);
    struct git_change here = git_branch_last_change(s->arena, s->branch, GIT_HEAD, path);
    const struct hazard_rule *rule = hazard_rule_find(str_of(rule_of(b->problem)));
    struct file_finding file = {.migration = b->problem == BRANCH_DELETED ? NULL : b->migration,
                                .path = path,
                                .line = 1,
                                .commit = here.commit,
                                .author = here.author,
                                .hazard = {
                                    .rule = rule,
                                    .level = rules_policy_level(policy, rule->id, rule->level),
                                    .message = message_of(s, b, &here),
                                    .fix = rule->fix,
                                }};
    if (b->problem == BRANCH_EDITED)
        find_line(s, b, &file);
    file.hazard.line = file.line;
    if (b->change == CHANGE_COMMENTS && file.hazard.level > HAZARD_NOTE) {
        file.hazard.level = HAZARD_NOTE;
        file.hazard.exempted_by = "only comments were changed";
    }
    if (file.hazard.level != HAZARD_OFF)
        vec_push(s->arena, &out->files, file);
}

static bool find_files(struct session *s, struct selection *out, struct fail *f)
{
    struct hazard_policy policy;
    if (!session_policy(s, &policy, f))
        return false;
    out->has_compared_files = true;
    for (size_t i = 0; i < s->added->findings.count; i++)
        add_file(s, &s->added->findings.at[i], &policy, out);
    return true;
}

/* ---- both ---- */

bool plan_branch_select(struct session *s, struct selection *out, struct fail *f)
{
    struct migrations *base = arena_new(s->arena, struct migrations);
    struct reconciliation r = {0};
    if (!compare(s, base, f) || (s->connection && !session_reconcile(s, &r, f)))
        return false;
    const struct branch *branch = s->added;
    *out = (struct selection){
        .migrations = arena_array(s->arena, const struct migration *, branch->added.count + 1),
        .rows = arena_array(s->arena, const struct history_row *, branch->added.count + 1),
    };
    for (size_t i = 0; i < branch->added.count; i++) {
        const struct migration *m = branch->added.at[i];
        if (m->is_opaque)
            log_line(LOG_WARN, "%.*s: written as code: it is not planned", STR_ARG(m->path));
        else if (!s->connection || is_pending(&r, m))
            out->migrations[out->count++] = m;
    }
    return select_before(s, base, out, f) && find_files(s, out, f);
}

/* ---- JSON ---- */

void plan_branch_set_json(const struct session *s, const struct plan *plan, struct json *root)
{
    const struct git_branch *b = s->branch;
    struct json *revision = json_make_object();
    json_set_cstr(revision, "name", b->names[GIT_HEAD]);
    json_set_cstr(revision, "commit", b->commits[GIT_HEAD]);
    json_set(root, "revision", revision);
    if (!plan_branch_is_wanted(s))
        return;
    struct json *base = json_make_object();
    json_set_cstr(base, "name", b->names[GIT_BASE]);
    json_set_cstr(base, "commit", b->commits[GIT_BASE]);
    json_set_cstr(base, "merge_base", b->commits[GIT_FORK]);
    json_set(root, "base", base);
    struct json *list = json_make_array();
    for (size_t i = 0; i < plan->files.count; i++) {
        const struct file_finding *file = &plan->files.at[i];
        struct json *j = hazard_json(&file->hazard);
        json_set_str(j, "file", file->path);
        json_set_i64(j, "line", file->line);
        json_set_cstr(j, "commit", file->commit[0] ? file->commit : NULL);
        json_set_cstr(j, "author", file->author[0] ? file->author : NULL);
        json_push(list, j);
    }
    json_set(root, "hazards", list);
}
