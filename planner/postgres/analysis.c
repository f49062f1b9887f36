/* predict → rules → fold, with the state that lasts longer than a statement. */
#include "planner/postgres/analysis.h"

#include "planner/postgres/analysis_rows.h"
#include "planner/postgres/effects.h"
#include "planner/postgres/file_state.h"
#include "planner/postgres/rewrite.h"
#include "planner/postgres/rules_support.h"
#include "planner/rules.h"

struct postgres_analysis {
    struct arena *a;
    struct arena *scratch; /* emptied behind each statement */
    struct arena *of_file; /* a, or its own, emptied in front of each migration */
    struct catalog *catalog;
    unsigned major;
    unsigned said_major; /* as it was said: older than any that is known, too */
    const struct hazard_policy *policy;
    const struct rule_choice *rules;
    struct file_so_far file;
    bool is_opaque;   /* something in that script could not be looked into */
    bool is_dump;     /* the script that is folded was written by pg_dump */
    size_t settings;  /* of the catalog as it was given */
    size_t first_new; /* relations before the statement that was looked at last */
};

static unsigned major_of(uint32_t server_version)
{
    enum { OLDEST = 12 };
    unsigned major = server_version / 10000;
    if (!major || major > POSTGRES_NEWEST)
        return POSTGRES_NEWEST;
    return major < OLDEST ? OLDEST : major;
}

struct postgres_analysis *postgres_analysis_open(struct arena *a, struct catalog *catalog,
                                                 uint32_t server_version,
                                                 const struct hazard_policy *policy)
{
    struct postgres_analysis *p = arena_new(a, struct postgres_analysis);
    p->a = a;
    p->scratch = arena_make();
    p->of_file = a;
    p->catalog = catalog;
    if (!catalog) {
        p->catalog = catalog_make(a);
        catalog_add_schema(p->catalog, STR("public"));
    }
    p->settings = p->catalog->settings.count;
    /* What the server brings along (facts.h) depends on its version. */
    if (!p->catalog->server_version)
        p->catalog->server_version = server_version;
    p->major = major_of(server_version);
    p->said_major = server_version ? server_version / 10000 : POSTGRES_NEWEST;
    p->policy = policy;
    p->rules = rules_choose(a, ENGINE_POSTGRES, p->said_major, policy);
    return p;
}

void postgres_analysis_close(struct postgres_analysis *p)
{
    if (!p)
        return;
    arena_release(p->scratch);
    if (p->of_file != p->a)
        arena_release(p->of_file);
}

void postgres_analysis_forget_files(struct postgres_analysis *p)
{
    p->of_file = arena_make();
}

struct catalog *postgres_analysis_catalog(struct postgres_analysis *p)
{
    return p->catalog;
}

/* ---- one statement ---- */

static struct deed deed_of(struct arena *a, struct postgres_analysis *p, const PgQuery__Node *node,
                           struct effects *effects)
{
    return (struct deed){
        .a = a,
        .catalog = p->catalog,
        .major = p->major,
        .node = node,
        .effects = effects,
        .old_relations = p->catalog->relations.count,
    };
}

/* effects: what was predicted; the fold adds nothing to it that counts. first_new: relations before that
   (CREATE SCHEMA makes its elements while it is predicted). */
static void fold(struct postgres_analysis *p, const PgQuery__Node *node,
                 const struct effects *effects, size_t first_new)
{
    struct effects ignored = {0};
    struct deed d = deed_of(p->scratch, p, node, &ignored);
    effects_fold(&d);
    rows_note(&d, node, effects, first_new);
    settings_note(p->catalog, node);
}

/* ---- a script that made what is there ---- */

void postgres_analysis_fold(struct postgres_analysis *p, const struct statement *s)
{
    if (!s->tree)
        return;
    struct arena_mark mark = arena_mark(p->scratch);
    struct effects effects = {0};
    struct deed d = deed_of(p->scratch, p, s->tree, &effects);
    size_t first_new = p->catalog->relations.count;
    effects_predict(&d);
    p->is_dump |= is_dump_header(s->tree);
    p->is_opaque |= effects.opaque != NULL;
    fold(p, s->tree, &effects, first_new);
    arena_reset(p->scratch, mark);
    if (s->role == ROLE_COMMIT || s->role == ROLE_ROLLBACK)
        catalog_end_transaction(p->catalog);
}

void postgres_analysis_fold_end(struct postgres_analysis *p, bool is_whole)
{
    p->catalog->source = CATALOG_SCRIPT;
    p->catalog->is_complete = is_whole && !p->is_opaque;
    if (p->is_dump) {
        rows_forget(p->catalog);
        /* It was said for the dump alone. */
        catalog_set(p->catalog, STR("search_path"), (struct str){0}, false);
    }
}

void postgres_analysis_fold_next(struct postgres_analysis *p)
{
    catalog_end_transaction(p->catalog);
    p->catalog->settings.count = p->settings;
}

void postgres_analysis_fold_merged_end(struct postgres_analysis *p, bool is_whole)
{
    if (p->catalog->source >= CATALOG_SCRIPT)
        return;
    p->catalog->source = CATALOG_SCRIPT;
    p->catalog->is_complete = is_whole && !p->is_opaque;
    rows_forget(p->catalog);
}

/* ---- a migration ---- */

void postgres_analysis_migration(struct postgres_analysis *p, struct str path,
                                 enum transaction_mode transaction)
{
    p->catalog->migration++;
    struct file_so_far last = p->file;
    if (p->of_file != p->a) {
        arena_release(p->of_file);
        p->of_file = arena_make();
        last = (struct file_so_far){0};
    }
    p->file = (struct file_so_far){
        .path = arena_str(p->of_file, path),
        .held = {last.held.at, 0, last.held.room},
        .notes = file_state_make(p->of_file, last.notes),
        .is_each_alone = transaction == TRANSACTION_NONE,
    };
}

void postgres_analysis_event(struct postgres_analysis *p, enum analysis_event event)
{
    if (event == ANALYSIS_TRANSACTION_BEGINS) {
        p->file.is_in_transaction = true;
        return;
    }
    p->file.is_in_transaction = p->file.is_own_transaction = false;
    p->file.held.count = 0;
    if (p->file.notes)
        file_state_transaction_ends(p->file.notes);
    catalog_end_transaction(p->catalog);
    /* What was rolled back is in the catalog all the same: it cannot say any more what there is not. */
    if (event == ANALYSIS_TRANSACTION_ROLLED_BACK)
        p->catalog->is_complete = false;
}

/* Held already, at least as strongly. */
static bool is_held(const struct postgres_analysis *p, const struct effect_lock *lock)
{
    for (size_t i = 0; i < p->file.held.count; i++) {
        const struct held_lock *held = &p->file.held.at[i];
        if (held->object == lock->object && held->mode >= lock->mode &&
            str_equal(held->relation, lock->relation))
            return true;
    }
    return false;
}

static void hold_locks(struct postgres_analysis *p, const struct statement *s,
                       const struct effects *e)
{
    enum {
        HELD_MAX = 2000
    }; /* rules tell of the strongest and of the first; each statement asks all */
    if (!p->file.is_in_transaction)
        return;
    for (size_t i = 0; i < e->locks.count && p->file.held.count < HELD_MAX; i++) {
        const struct effect_lock *lock = &e->locks.at[i];
        if (rules_is_new(p->catalog, lock->object) || is_held(p, lock))
            continue;
        struct held_lock held = {
            .relation = arena_str(p->of_file, lock->relation),
            .object = lock->object,
            .kind = rule_lock_kind(s->tree, lock),
            .mode = lock->mode,
            .statement = p->file.statements,
            .line = s->line,
        };
        vec_push(p->of_file, &p->file.held, held);
    }
}

static struct rule_subject subject_of(struct arena *a, struct postgres_analysis *p,
                                      const struct statement *s, struct analysis *out)
{
    return (struct rule_subject){
        .a = a,
        .statement = s,
        .tree = s ? s->tree : NULL,
        .catalog = p->catalog,
        .effects = &out->effects,
        .file = &p->file,
        .major = p->said_major,
        .policy = p->policy,
        .choice = p->rules,
        .out = &out->hazards,
    };
}

static void check_rules(struct arena *a, struct postgres_analysis *p, const struct statement *s,
                        struct analysis *out)
{
    struct rule_memo memo = {0};
    struct rule_subject subject = subject_of(a, p, s, out);
    subject.memo = &memo;
    rules_check(ENGINE_POSTGRES, &subject);
    for (size_t i = 0; s && i < out->effects.within.count; i++) {
        subject.tree = out->effects.within.at[i];
        rules_check(ENGINE_POSTGRES, &subject);
    }
}

/* ---- the class ---- */

static bool is_new(const struct postgres_analysis *p, const struct catalog_relation *r)
{
    return r && catalog_is_new(p->catalog, r);
}

/* Whether all that it changes was made by this plan: nobody uses it yet. */
static bool touches_only_new(const struct postgres_analysis *p, const struct effects *e)
{
    bool has_any = false;
    for (size_t i = 0; i < e->locks.count; i++) {
        const struct effect_lock *lock = &e->locks.at[i];
        if (lock->mode <= LOCK_ROW_SHARE)
            continue;
        if (!is_new(p, lock->object))
            return false;
        has_any = true;
    }
    for (size_t i = 0; i < e->losses.count; i++) {
        if (!is_new(p, e->losses.at[i].object))
            return false;
    }
    return has_any && !e->opaque && !e->missing;
}

static const char *loss_reason(struct arena *a, const struct effect_loss *loss)
{
    const char *what = loss->kind == LOSS_DATA ? "loses data of" : "takes away";
    return arena_printf(a, "%s %.*s", what, STR_ARG(loss->what));
}

/* judge.c has said what the words alone say; the effects know better in both directions. */
static void settle_class(struct arena *a, const struct postgres_analysis *p,
                         const struct statement *s, struct analysis *out)
{
    const struct effects *e = &out->effects;
    out->class = s->class;
    out->class_reason = s->class_reason;
    if (s->class != CLASS_ADDITIVE && touches_only_new(p, e)) {
        out->class = CLASS_ADDITIVE;
        out->class_reason = "what it changes was made by this plan";
        return;
    }
    for (size_t i = 0; i < e->losses.count && out->class == CLASS_ADDITIVE; i++) {
        const struct effect_loss *loss = &e->losses.at[i];
        bool counts = loss->kind == LOSS_DATA || loss->kind == LOSS_NAME;
        if (!counts || is_new(p, loss->object))
            continue;
        out->class = CLASS_DESTRUCTIVE;
        out->class_reason = loss_reason(a, loss);
    }
}

void postgres_analysis_look(struct arena *a, struct postgres_analysis *p, const struct statement *s,
                            struct analysis *out)
{
    *out = (struct analysis){.class = s->class, .class_reason = s->class_reason};
    p->first_new = p->catalog->relations.count;
    if (s->role == ROLE_BEGIN)
        p->file.is_own_transaction = true;
    if (s->tree) {
        struct deed d = deed_of(a, p, s->tree, &out->effects);
        effects_predict(&d);
        settle_class(a, p, s, out);
    } else {
        out->effects.opaque = "the parser does not know it";
        if (s->syntax.answer == SYNTAX_REFUSED)
            out->effects.failure = s->syntax.message;
        p->catalog->is_complete = false;
    }
    check_rules(a, p, s, out);
}

void postgres_analysis_take(struct arena *a, struct postgres_analysis *p, const struct statement *s,
                            struct analysis *seen)
{
    struct rule_memo memo = {0};
    struct rule_subject subject = subject_of(a, p, s, seen);
    subject.memo = &memo;
    file_state_note(p->file.notes, &subject);
    if (s->tree) {
        hold_locks(p, s, &seen->effects);
        struct arena_mark mark = arena_mark(p->scratch);
        fold(p, s->tree, &seen->effects, p->first_new);
        file_state_note_new(p->file.notes, p->catalog, p->first_new, s->line);
        arena_reset(p->scratch, mark);
        if (seen->effects.opaque)
            p->catalog->is_complete = false;
    }
    p->file.has_transactional |= p->file.is_in_transaction;
    p->file.has_alone |= !p->file.is_in_transaction;
    p->file.statements++;
}

void postgres_analysis_statement(struct arena *a, struct postgres_analysis *p,
                                 const struct statement *s, struct analysis *out)
{
    postgres_analysis_look(a, p, s, out);
    postgres_analysis_take(a, p, s, out);
}

const struct online_form *postgres_analysis_rewrite(struct arena *a, struct postgres_analysis *p,
                                                    const struct statement *s,
                                                    const struct analysis *seen,
                                                    const char **out_why_not)
{
    *out_why_not = NULL;
    return p->file.is_own_transaction
               ? NULL
               : rewrite_statement(a, s, p->catalog, seen, p->major, out_why_not);
}

const char *postgres_analysis_batch_refusal(struct arena *a, struct postgres_analysis *p,
                                            const struct statement *s)
{
    return rewrite_batch_refusal(a, s, p->catalog, p->major);
}

struct str postgres_analysis_made(struct arena *a, struct postgres_analysis *p,
                                  const struct statement *s)
{
    return rewrite_made(a, s, p->catalog);
}

void postgres_analysis_migration_end(struct arena *a, struct postgres_analysis *p,
                                     struct hazards *out)
{
    struct analysis found = {0};
    check_rules(a, p, NULL, &found);
    *out = found.hazards;
}
