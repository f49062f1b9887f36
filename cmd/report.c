/* Collects the findings of a plan: see report.h. */
#include "cmd/report.h"

#include "core/base/text.h"
#include "core/base/vec.h"

/* The statement without blanks, so that indenting it is no other finding. */
static void add_folded(struct digest_stream *d, struct str sql)
{
    size_t from = 0;
    for (size_t i = 0; i <= sql.len; i++) {
        if (i < sql.len && !char_is_space(sql.at[i]))
            continue;
        digest_add(d, (struct str){sql.at + from, i - from});
        from = i + 1;
    }
}

/* Lines move with every edit above; what a finding is about does not. */
static struct digest fingerprint(const struct report_finding *f)
{
    struct digest_stream *d = digest_start();
    digest_add(d, STR("migrate finding 1\n"));
    digest_add(d, str_of(f->hazard->rule->id));
    digest_add(d, STR("\n"));
    digest_add(d, f->path);
    digest_add(d, STR("\n"));
    digest_add(d, f->hazard->relation);
    digest_add(d, STR("\n"));
    if (f->statement)
        add_folded(d, f->statement->statement.text);
    return digest_finish(d);
}

static int by_fingerprint(const void *one, const void *other)
{
    const struct report_finding *a = *(const struct report_finding *const *)one;
    const struct report_finding *b = *(const struct report_finding *const *)other;
    int order = strcmp(a->fingerprint.hex, b->fingerprint.hex);
    if (order)
        return order;
    return a < b ? -1 : a > b;
}

static void number_fingerprint(struct report_finding *f, size_t number)
{
    struct digest_stream *d = digest_start();
    digest_add(d, digest_str(&f->fingerprint));
    char text[24];
    int len = snprintf(text, sizeof(text), "+%zu", number);
    digest_add(d, (struct str){text, (size_t)len});
    f->fingerprint = digest_finish(d);
}

/* The same statement twice in a file has the same fingerprint twice: all behind the first are numbered. */
void report_fingerprint(struct arena *a, struct report *r)
{
    size_t count = r->findings.count;
    for (size_t i = 0; i < count; i++)
        r->findings.at[i].fingerprint = fingerprint(&r->findings.at[i]);
    struct report_finding **sorted = arena_array(a, struct report_finding *, count + 1);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &r->findings.at[i];
    qsort(sorted, count, sizeof(*sorted), by_fingerprint);
    for (size_t i = 0; i < count;) {
        struct digest first = sorted[i]->fingerprint;
        size_t same = 1;
        for (; i + same < count && digest_equal(&sorted[i + same]->fingerprint, &first); same++)
            number_fingerprint(sorted[i + same], same);
        i += same;
    }
}

static void place_in_statement(struct report_finding *f)
{
    const struct statement *s = &f->statement->statement;
    size_t offset = f->hazard->offset_bytes < s->text.len ? (size_t)f->hazard->offset_bytes : 0;
    struct text_place place = text_place_of(s->text, offset);
    f->line = s->line + place.line - 1;
    f->column = place.line == 1 ? s->column + place.column - 1 : place.column;
    f->excerpt = place.line_text;
    f->caret = place.column - 1;
}

static void count_finding(struct report *r, const struct hazard *h)
{
    if (h->waiver)
        r->waived++;
    else if (h->settled_by)
        r->settled++;
    else if (h->level == HAZARD_BLOCK)
        r->blocks++;
    else if (h->level == HAZARD_WARN)
        r->warnings++;
    else
        r->notes++;
}

static void add_finding(struct arena *a, struct report *r, struct report_finding f)
{
    f.line = f.line ? f.line : 1;
    f.column = 1;
    if (f.statement)
        place_in_statement(&f);
    count_finding(r, f.hazard);
    vec_push(a, &r->findings, f);
}

static void add_migration(struct arena *a, struct report *r, const struct planned_migration *m)
{
    struct report_finding f = {.migration = m, .path = m->migration->path};
    r->destructive += m->class != CLASS_ADDITIVE;
    r->statements += m->statement_count;
    r->not_judged += m->is_analysed && m->verdict == VERDICT_UNKNOWN;
    for (size_t i = 0; i < m->statements.count; i++) {
        f.statement = &m->statements.at[i];
        const struct hazards *found = &f.statement->hazards;
        for (size_t k = 0; k < found->count; k++) {
            f.hazard = &found->at[k];
            add_finding(a, r, f);
        }
    }
    f.statement = NULL;
    for (size_t k = 0; k < m->hazards.count; k++) {
        f.hazard = &m->hazards.at[k];
        f.line = f.hazard->line;
        add_finding(a, r, f);
    }
}

static size_t count_findings(const struct plan *plan)
{
    size_t count = plan->files.count;
    for (size_t i = 0; i < plan->count; i++) {
        const struct planned_migration *m = &plan->migrations[i];
        count += m->hazards.count;
        for (size_t k = 0; k < m->statements.count; k++)
            count += m->statements.at[k].hazards.count;
    }
    return count;
}

struct report report_make(struct arena *a, const struct plan *plan, const char *base)
{
    struct report r = {.plan = plan, .base = base, .is_refused = plan_is_refused(plan)};
    vec_reserve(a, &r.findings, count_findings(plan));
    for (size_t i = 0; i < plan->files.count; i++) {
        const struct file_finding *file = &plan->files.at[i];
        add_finding(a, &r,
                    (struct report_finding){
                        .hazard = &file->hazard,
                        .path = file->path,
                        .line = file->line,
                        .excerpt = file->excerpt,
                    });
    }
    for (size_t i = 0; i < plan->count; i++)
        add_migration(a, &r, &plan->migrations[i]);
    return r;
}

static void add_count(struct buf *out, size_t count, const char *one, const char *many)
{
    if (count)
        buf_printf(out, "%s%zu %s", out->len ? ", " : "", count, count == 1 ? one : many);
}

const char *report_counts(struct arena *a, const struct report *r)
{
    SCOPED(buf) struct buf out = {0};
    add_count(&out, r->blocks, "finding blocks", "findings block");
    add_count(&out, r->warnings, "warning", "warnings");
    add_count(&out, r->notes, "note", "notes");
    add_count(&out, r->settled, "settled", "settled");
    add_count(&out, r->waived, "waived", "waived");
    add_count(&out, r->not_judged, "migration could not be judged",
              "migrations could not be judged");
    return out.len ? arena_cstr(a, buf_str(&out)) : "no findings";
}

const char *report_advice(struct arena *a, const struct hazard *h)
{
    return h->settled_by ? arena_printf(a, "Settled by its online form (%s).", h->settled_by)
                         : h->fix;
}

struct str report_short_sql(struct arena *a, struct str sql, size_t longest)
{
    SCOPED(buf) struct buf text = {0};
    bool was_space = false;
    size_t at = 0;
    for (; at < sql.len && text.len < longest; at++) {
        bool is_space = char_is_space(sql.at[at]);
        if (!is_space || !was_space)
            buf_add_char(&text, is_space ? ' ' : sql.at[at]);
        was_space = is_space;
    }
    for (; at < sql.len && ((unsigned char)sql.at[at] & 0xC0) == 0x80; at++)
        buf_add_char(&text, sql.at[at]);
    if (at < sql.len)
        buf_add_cstr(&text, "…");
    return buf_done(a, &text);
}

/* Enough for anybody to see what is meant. */
#define NAMES_SHOWN 3

/* " on a, b and 3 more" of those that pass. */
static void add_names(struct buf *out, const struct effects *e, enum lock_mode mode)
{
    size_t count = 0;
    for (size_t i = 0; i < e->locks.count; i++) {
        const struct effect_lock *l = &e->locks.at[i];
        bool is_index = l->kind == RELATION_INDEX || l->kind == RELATION_PARTITIONED_INDEX;
        if (l->mode != mode || is_index)
            continue;
        if (count++ < NAMES_SHOWN)
            buf_printf(out, "%s%.*s", count == 1 ? "" : ", ", STR_ARG(l->relation));
    }
    if (count > NAMES_SHOWN)
        buf_printf(out, " and %zu more", count - NAMES_SHOWN);
}

static bool has_table_lock(const struct effects *e, enum lock_mode mode)
{
    for (size_t i = 0; i < e->locks.count; i++) {
        const struct effect_lock *l = &e->locks.at[i];
        if (l->mode == mode && l->kind != RELATION_INDEX && l->kind != RELATION_PARTITIONED_INDEX)
            return true;
    }
    return false;
}

static void add_objects(struct buf *out, const char *verb, const struct effect_object *at,
                        size_t count)
{
    if (!count)
        return;
    buf_printf(out, "%s%s ", out->len ? "; " : "", verb);
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(at[i].relation));
    if (count > NAMES_SHOWN)
        buf_printf(out, " and %zu more", count - NAMES_SHOWN);
}

const char *report_effects(struct arena *a, const struct effects *e)
{
    SCOPED(buf) struct buf out = {0};
    for (int mode = LOCK_ACCESS_EXCLUSIVE; mode >= LOCK_SHARE_UPDATE_EXCLUSIVE; mode--) {
        if (!has_table_lock(e, (enum lock_mode)mode))
            continue;
        buf_printf(&out, "%s%s on ", out.len ? "; " : "", lock_mode_sql((enum lock_mode)mode));
        add_names(&out, e, (enum lock_mode)mode);
    }
    add_objects(&out, "rewrites", e->rewrites.at, e->rewrites.count);
    if (!e->rewrites.count)
        add_objects(&out, "reads all of", e->scans.at, e->scans.count);
    add_objects(&out, "builds", e->builds.at, e->builds.count);
    if (e->opaque)
        buf_printf(&out, "%snot looked into: %s", out.len ? "; " : "", e->opaque);
    if (e->missing)
        buf_printf(&out, "%smissing: %s", out.len ? "; " : "", e->missing);
    if (e->failure)
        buf_printf(&out, "%swill fail: %s", out.len ? "; " : "", e->failure);
    return arena_cstr(a, buf_str(&out));
}
