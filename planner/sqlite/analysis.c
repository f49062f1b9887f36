/* listen → effects → questions → run → rules, with the state that lasts longer than a statement. */
#include "planner/sqlite/state.h"

#include "core/base/vec.h"
#include "planner/sqlite/effects.h"
#include "planner/sqlite/made_up.h"
#include "planner/sqlite/rewrite.h"

bool state_is_new(const struct sqlite_analysis *p, const struct catalog_relation *r)
{
    if (!r || !r->created_in)
        return false;
    return p->is_known || r->created_in == p->catalog->migration;
}

bool state_is_kind(const struct statement *s, const char *kind)
{
    return strcmp(s->kind, kind) == 0;
}

bool state_has_nocase(struct str text, struct str what)
{
    for (; text.len >= what.len && what.len; text = str_skip(text, 1)) {
        if (str_starts_nocase(text, what))
            return true;
    }
    return false;
}

struct sqlite_analysis *sqlite_analysis_open(struct arena *a, uint32_t version,
                                             const struct hazard_policy *policy, struct fail *f)
{
    struct sqlite_scratch *scratch = sqlite_scratch_open(f);
    if (!scratch)
        return NULL;
    struct sqlite_analysis *p = arena_new(a, struct sqlite_analysis);
    p->a = a;
    p->scratch = scratch;
    p->catalog = catalog_make(a);
    p->policy = policy;
    p->version = (version ? version : (uint32_t)sqlite3_libversion_number()) / 1000;
    return p;
}

void sqlite_analysis_count_with(struct sqlite_analysis *p, const struct row_counter *counter)
{
    p->counter = counter;
}

int64_t state_row_count(const struct sqlite_analysis *p, const struct sqlite_object *table)
{
    struct catalog_relation *r = table->relation;
    bool is_there = p->is_known && r && !r->created_in && !table->was_renamed;
    if (is_there && p->counter && r->row_estimate < 0)
        r->row_estimate =
            (double)p->counter->count(p->counter->context, table->name, BATCH_ROWS_MIN);
    return is_there ? (int64_t)r->row_estimate : -1;
}

void sqlite_analysis_close(struct sqlite_analysis *p)
{
    if (p)
        sqlite_scratch_close(p->scratch);
}

static void read_objects(struct sqlite_analysis *p, bool is_made_up)
{
    p->now = objects_read(p->a, p->scratch, p->catalog, &p->now, is_made_up);
}

const char *sqlite_analysis_load(struct arena *a, struct sqlite_analysis *p, struct str sql)
{
    const char *why = sqlite_scratch_load(a, p->scratch, sql);
    p->has_left_out |= why != NULL;
    return why;
}

void sqlite_analysis_loaded(struct sqlite_analysis *p)
{
    p->is_known = true;
    p->catalog->source = CATALOG_SCRIPT;
    p->catalog->is_complete = !p->has_left_out;
    read_objects(p, false);
}

/* ---- the file ---- */

void sqlite_analysis_migration(struct sqlite_analysis *p, struct str path)
{
    p->catalog->migration++;
    p->so_far = (struct file_so_far){.path = arena_str(p->a, path)};
    p->keys = KEYS_AS_OPENED;
    p->file = (struct sqlite_file){.at_start = p->now};
    if (p->is_known)
        return;
    /* The files before may have run long ago. */
    for (size_t i = 0; i < p->now.count; i++) {
        struct catalog_relation *r = p->now.at[i]->relation;
        if (r && r->rows == ROWS_NONE)
            r->rows = ROWS_NONE_WRITTEN;
    }
}

void sqlite_analysis_event(struct sqlite_analysis *p, enum analysis_event event)
{
    if (event == ANALYSIS_TRANSACTION_BEGINS) {
        p->so_far.is_in_transaction = true;
        return;
    }
    if (p->so_far.is_own_transaction) {
        bool is_undone = event == ANALYSIS_TRANSACTION_ROLLED_BACK;
        (void)scratch_run(p->scratch, is_undone ? "ROLLBACK" : "COMMIT");
        if (is_undone)
            read_objects(p, false);
    }
    p->so_far.is_in_transaction = p->so_far.is_own_transaction = false;
}

/* ---- the class ---- */

/* Whether all that it changes was made by this plan: nobody uses it yet. */
static bool touches_only_new(const struct sqlite_analysis *p, const struct effects *e)
{
    for (size_t i = 0; i < e->writes.count; i++) {
        if (!state_is_new(p, e->writes.at[i].object))
            return false;
    }
    for (size_t i = 0; i < e->losses.count; i++) {
        if (!state_is_new(p, e->losses.at[i].object))
            return false;
    }
    return e->writes.count + e->losses.count > 0 && !e->opaque && !e->missing && !e->failure;
}

static void settle_class(const struct sqlite_analysis *p, struct statement *s, struct analysis *out)
{
    if (s->class != CLASS_ADDITIVE && s->is_analysed && touches_only_new(p, &out->effects)) {
        s->class = CLASS_ADDITIVE;
        s->class_reason = "what it changes was made by this plan";
    }
    out->class = s->class;
    out->class_reason = s->class_reason;
}

/* ---- one statement ---- */

static bool begins_with(const char *text, const char *words)
{
    return strncmp(text, words, strlen(words)) == 0;
}

/* What depends on the machine, not on the statement: modules and functions that the target may have. */
static bool is_about_extensions(const char *error)
{
    static const char *const about[] = {
        "no such module: ",    "no such function: ",
        "no such tokenizer: ", "no such collation sequence: ",
        "unknown tokenizer: ",
    };
    for (size_t i = 0; i < ARRAY_LEN(about); i++) {
        if (begins_with(error, about[i]))
            return true;
    }
    return false;
}

/* Whether it names something that we have made up: what SQLite says of it may be due to us. */
static bool mentions_made_up(const struct sqlite_analysis *p, const struct statement *s)
{
    for (size_t i = 0; i < p->now.count; i++) {
        if (p->now.at[i]->is_made_up && state_has_nocase(s->text, p->now.at[i]->name))
            return true;
    }
    return false;
}

/* What SQLite says whatever the schema is. */
static bool is_certain(const char *error)
{
    return strstr(error, "syntax error") || begins_with(error, "Cannot add a");
}

static void take_error(struct arena *a, struct sqlite_analysis *p, const struct statement *s,
                       const char *error, struct effects *e)
{
    bool is_missing = begins_with(error, "no such ");
    bool is_unsure = !is_certain(error) && mentions_made_up(p, s);
    is_unsure |= is_missing && p->has_left_out;
    p->facts.error = error;
    p->facts.is_error_unknown = is_unsure;
    if (is_about_extensions(error))
        e->opaque =
            arena_printf(a, "%s: an extension may have it, which is not loaded here", error);
    else if (p->scratch->is_denied)
        e->opaque = "it reaches outside the database";
    else if (is_unsure)
        e->opaque = arena_printf(a, "%s, as far as the schema is known", error);
    else if (is_missing)
        e->missing = error;
    if (!e->opaque && !e->missing)
        e->failure = error;
}

static bool is_transaction_word(const struct statement *s)
{
    return s->role == ROLE_BEGIN || s->role == ROLE_COMMIT || s->role == ROLE_ROLLBACK;
}

/* What runs in the scratch database beside DDL, so that it is where the file would be. */
static void follow(struct sqlite_analysis *p, const struct statement *s)
{
    if (s->role == ROLE_BEGIN) {
        p->so_far.is_own_transaction = true;
        bool is_begun = !scratch_try(p->a, p->scratch, arena_cstr(p->a, s->text));
        p->file.is_deferred =
            is_begun && sqlite3_txn_state(p->scratch->db, "main") == SQLITE_TXN_NONE;
        p->file.has_written = false;
    } else if (s->role == ROLE_HOISTED) {
        if (s->is_switched_on && !p->so_far.is_own_transaction)
            p->keys = KEYS_ON;
        else if (!s->is_switched_on)
            p->keys = KEYS_OFF;
    }
}

static struct catalog_relation *relation_of(const struct sqlite_objects *list, const char *name)
{
    struct sqlite_object *o = name[0] ? objects_find_relation(list, str_of(name)) : NULL;
    return o ? o->relation : NULL;
}

/* Rows of the tables it puts some into. */
static void note_rows(struct sqlite_analysis *p, const struct effects *e)
{
    if (p->scratch->is_ddl) {
        for (size_t i = 0; i < p->now.count; i++) {
            struct sqlite_object *o = p->now.at[i];
            if (o->kind == OBJECT_TABLE && !o->before && p->scratch->heard.selects)
                o->relation->rows = ROWS_SOME; /* CREATE TABLE … AS */
        }
        return;
    }
    for (size_t i = 0; i < e->writes.count; i++) {
        struct catalog_relation *r = relation_of(&p->now, p->scratch->heard.written);
        struct catalog_relation *written = NULL;
        for (size_t k = 0; k < p->now.count && !written; k++) {
            if (p->now.at[k]->relation == e->writes.at[i].object)
                written = p->now.at[k]->relation;
        }
        bool puts_rows = p->scratch->does_insert || written != r;
        if (written && puts_rows)
            written->rows = ROWS_SOME;
    }
}

static void note_copy(struct sqlite_analysis *p, const struct statement *s)
{
    struct catalog_relation *to = relation_of(&p->now, p->scratch->heard.written);
    struct catalog_relation *from = p->facts.from ? p->facts.from->relation : NULL;
    bool is_copy = p->scratch->does_insert && !p->scratch->is_ddl && !p->facts.error && to &&
                   from && to->created_in == p->catalog->migration && !state_is_new(p, from);
    if (!is_copy)
        return;
    const struct table_copy copy = {
        .to = to,
        .from = from,
        .line = s->line,
        .casts = sqlite_effects_casts(p->scratch, p->a, s->text),
        .omits_columns = p->facts.omits_columns,
        .selects_all = p->facts.selects_all,
        .columns = arena_str(p->a, str_of(p->scratch->heard.columns)),
    };
    vec_push(p->a, &p->file.copies, copy);
}

/* What the rules about the whole file will want to know. */
static void note_for_the_end(struct sqlite_analysis *p, const struct statement *s)
{
    struct sqlite_file *file = &p->file;
    file->writes_sequence |= p->scratch->heard.writes_sequence && !p->scratch->is_ddl;
    note_copy(p, s);
    if (!p->scratch->is_ddl || p->facts.error)
        return;
    for (size_t i = 0; i < p->before.count; i++) {
        const struct sqlite_object *old = p->before.at[i];
        const struct sqlite_object *o = objects_successor(&p->now, old);
        const struct object_event event = {
            .object = old,
            .statement = p->so_far.statements,
            .line = s->line,
            .is_named = str_equal_nocase(old->name, str_of(p->scratch->heard.dropped)),
        };
        if (!o) {
            vec_push(p->a, &p->gone, p->before.at[i]);
            vec_push(p->a, &file->drops, event);
        } else if (o->kind == OBJECT_TABLE && !str_equal(o->name, old->name) &&
                   !state_is_new(p, old->relation)) {
            vec_push(p->a, &file->renames, event);
            file->renames.at[file->renames.count - 1].to = o->name;
        }
    }
    for (size_t i = 0; i < p->now.count; i++) {
        if (!p->now.at[i]->before && !p->now.at[i]->line)
            p->now.at[i]->line = s->line;
    }
    /* A name that is there again is not gone any more. */
    for (size_t i = 0; i < p->gone.count; i++) {
        if (objects_find(&p->now, p->gone.at[i]->kind, p->gone.at[i]->name))
            p->gone.at[i--] = p->gone.at[--p->gone.count];
    }
}

static void check_rules(struct arena *a, struct sqlite_analysis *p, const struct statement *s,
                        struct analysis *out)
{
    struct rule_subject subject = {
        .a = a,
        .statement = s,
        .catalog = p->catalog,
        .effects = &out->effects,
        .file = &p->so_far,
        .major = p->version,
        .engine_state = p,
        .policy = p->policy,
        .out = &out->hazards,
    };
    rules_check(ENGINE_SQLITE, &subject);
}

/* Runs it in the scratch database, and says what it does there. */
static void take_statement(struct arena *a, struct sqlite_analysis *p, struct statement *s,
                           struct analysis *out)
{
    SCOPED(fail) struct fail ignored = FAIL_NONE;
    if (!p->is_known && made_up_for(a, p->scratch, &p->now, &p->gone, s))
        read_objects(p, true);
    p->before = p->now;
    scratch_listen(p->scratch, s);
    sqlite_effects_of_rows(a, p->scratch, &p->now, s, p->keys != KEYS_OFF, &out->effects);
    questions_ask(a, p, s, &out->effects);
    if (health_may_break(p, s))
        health_look(p, NULL);
    if (!sqlite_scratch_analyse(a, p->scratch, s, &ignored))
        return;
    if (p->scratch->error[0])
        take_error(a, p, s, arena_cstr(a, str_of(p->scratch->error)), &out->effects);
    if (p->scratch->is_ddl) {
        read_objects(p, false);
        sqlite_effects_of_schema(a, &p->before, &p->now, str_of(p->scratch->heard.dropped),
                                 &out->effects);
        questions_ask_behind(a, p, s);
    }
    note_for_the_end(p, s);
    if (health_may_break(p, s))
        health_look(p, s);
}

void sqlite_analysis_statement(struct arena *a, struct sqlite_analysis *p, struct statement *s,
                               struct analysis *out)
{
    *out = (struct analysis){0};
    p->facts = (struct sqlite_facts){.alter = scratch_alter_form(s)};
    follow(p, s);
    if (is_transaction_word(s)) {
        scratch_forget(p->scratch);
        s->class = CLASS_ADDITIVE;
        out->effects.tells_writes = true;
    } else {
        take_statement(a, p, s, out);
    }
    settle_class(p, s, out);
    check_rules(a, p, s, out);
    note_rows(p, &out->effects);
    p->file.has_written |= out->effects.writes.count > 0 || p->scratch->is_ddl;
    p->file.has_savepoint |= state_is_kind(s, "SAVEPOINT");
    p->file.defers_keys |= s->sets_deferral && s->is_switched_on;
    p->so_far.has_transactional |= p->so_far.is_in_transaction;
    p->so_far.has_alone |= !p->so_far.is_in_transaction;
    p->so_far.statements++;
}

const struct online_form *sqlite_analysis_rewrite(struct arena *a, struct sqlite_analysis *p,
                                                  const struct statement *s,
                                                  const struct analysis *seen)
{
    return sqlite_rewrite_statement(a, p, s, seen);
}

const char *sqlite_analysis_batch_refusal(struct arena *a, struct sqlite_analysis *p,
                                          const struct statement *s)
{
    return sqlite_rewrite_batch_refusal(a, p, s);
}

/* What SQLite has refused here is done by the steps. The table is the one that was there: not a new one. */
void sqlite_analysis_take_form(struct sqlite_analysis *p, const struct online_form *form)
{
    const struct sqlite_object *old = p->facts.table;
    if (!p->facts.error || !old)
        return;
    for (size_t i = 0; i < form->steps.count; i++)
        (void)scratch_try(p->a, p->scratch, arena_cstr(p->a, form->steps.at[i].sql));
    read_objects(p, false);
    struct sqlite_object *table = objects_find(&p->now, OBJECT_TABLE, old->name);
    if (table) {
        table->relation = old->relation;
        table->before = old;
    }
    for (size_t i = 0; i < p->now.count && table; i++) {
        const struct sqlite_object *was =
            objects_find(&p->before, OBJECT_INDEX, p->now.at[i]->name);
        if (p->now.at[i]->owner == table && p->now.at[i]->kind == OBJECT_INDEX && was)
            p->now.at[i]->relation = was->relation;
    }
}

void sqlite_analysis_migration_end(struct arena *a, struct sqlite_analysis *p, struct hazards *out)
{
    struct analysis found = {0};
    p->facts = (struct sqlite_facts){0};
    if (p->file.has_healths)
        health_look(p, NULL);
    check_rules(a, p, NULL, &found);
    *out = found.hazards;
    if (!sqlite3_get_autocommit(p->scratch->db))
        (void)scratch_run(p->scratch, "COMMIT");
}
