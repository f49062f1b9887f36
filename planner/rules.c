/*
 * Rows are kept in their tables; what is made here is an index of them by id, and a list for each kind
 * of statement, so that a statement meets only the rules that can speak of it.
 */
#include "planner/rules.h"

#include "core/base/text.h"
#include "core/base/vec.h"
#include "planner/postgres/rules_tables.h"
#include "planner/rules_history.h"
#include "planner/sqlite/rules_tables.h"

#include <pthread.h>

#define NODES_MAX 512

struct row_list {
    const struct rule_row **at;
    size_t count, room;
};

struct rule_choice {
    struct row_list by_node[NODES_MAX], always, sqlite, at_end[2];
};

struct registry {
    struct arena *arena; /* as long as the process */
    const struct hazard_rule **rules;
    size_t count;
    struct rule_choice all;
    struct row_list sqlite_rows; /* all, with those whose ids are PostgreSQL's too */
};

static struct registry registry;
static pthread_once_t registry_once = PTHREAD_ONCE_INIT;

static int compare_rules(const void *left, const void *right)
{
    const struct hazard_rule *const *a = left;
    const struct hazard_rule *const *b = right;
    return strcmp((*a)->id, (*b)->id);
}

/* PostgreSQL's rows are there first. */
static bool is_listed(const struct registry *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->rules[i]->id, id) == 0)
            return true;
    }
    return false;
}

static void add_to_choice(struct arena *a, struct rule_choice *c, enum engine engine,
                          const struct rule_row *row)
{
    if (row->check_end)
        vec_push(a, &c->at_end[engine == ENGINE_SQLITE], row);
    if (!row->check)
        return;
    if (engine == ENGINE_SQLITE)
        vec_push(a, &c->sqlite, row);
    else if (row->node && row->node < NODES_MAX)
        vec_push(a, &c->by_node[row->node], row);
    else
        vec_push(a, &c->always, row);
}

static void add_row(struct registry *r, enum engine engine, const struct rule_row *row)
{
    if (engine == ENGINE_SQLITE)
        vec_push(r->arena, &r->sqlite_rows, row);
    if (engine != ENGINE_SQLITE || !is_listed(r, row->rule.id))
        r->rules[r->count++] = &row->rule;
    add_to_choice(r->arena, &r->all, engine, row);
}

static size_t count_rows(const struct rule_table *const *tables, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += tables[i]->count;
    return rows;
}

static void add_tables(struct registry *r, enum engine engine,
                       const struct rule_table *const *tables, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < tables[i]->count; k++)
            add_row(r, engine, &tables[i]->rows[k]);
    }
}

static void make_registry(void)
{
    struct registry *r = &registry;
    const struct rule_table *const history[] = {&rules_of_files};
    size_t rows = count_rows(postgres_rule_tables, postgres_rule_table_count) +
                  count_rows(sqlite_rule_tables, sqlite_rule_table_count) +
                  count_rows(history, ARRAY_LEN(history));
    r->arena = arena_make();
    r->rules = arena_array(r->arena, const struct hazard_rule *, rows + 1);
    add_tables(r, ENGINE_POSTGRES, postgres_rule_tables, postgres_rule_table_count);
    add_tables(r, ENGINE_SQLITE, sqlite_rule_tables, sqlite_rule_table_count);
    add_tables(r, ENGINE_UNKNOWN, history, ARRAY_LEN(history));
    qsort(r->rules, r->count, sizeof(*r->rules), compare_rules);
}

static const struct registry *the_registry(void)
{
    pthread_once(&registry_once, make_registry);
    return &registry;
}

const struct hazard_rule *const *hazard_rules(size_t *out_count)
{
    *out_count = the_registry()->count;
    return the_registry()->rules;
}

const struct hazard_rule *hazard_rule_find(struct str id)
{
    const struct registry *r = the_registry();
    size_t from = 0;
    size_t to = r->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(str_of(r->rules[middle]->id), id);
        if (order == 0)
            return r->rules[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

const struct hazard_rule *hazard_rule_of(struct str id, enum engine engine)
{
    const struct hazard_rule *rule = hazard_rule_find(id);
    if (rule && rule->engine == engine)
        return rule;
    const struct row_list *rows = &the_registry()->sqlite_rows;
    for (size_t i = 0; i < rows->count && engine == ENGINE_SQLITE; i++) {
        if (str_equal(str_of(rows->at[i]->rule.id), id))
            return &rows->at[i]->rule;
    }
    return NULL;
}

/* A body that is not looked into is found as one of these. */
bool rule_is_about_the_unknown(const char *id)
{
    static const char *const ids[] = {"opaque-statement", "unchecked-do-block", "dynamic-sql"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        if (strcmp(id, ids[i]) == 0)
            return true;
    }
    return false;
}

const char *hazard_rule_like(struct str word)
{
    const struct registry *r = the_registry();
    size_t best_distance = word.len / 3 + 2;
    const char *best = NULL;
    enum { SHORTEST_BEGINNING = 5 };
    for (size_t i = 0; i < r->count; i++) {
        if (word.len >= SHORTEST_BEGINNING && str_starts(str_of(r->rules[i]->id), word))
            return r->rules[i]->id;
        size_t distance = text_edit_distance(word, str_of(r->rules[i]->id));
        if (distance < best_distance) {
            best_distance = distance;
            best = r->rules[i]->id;
        }
    }
    return best;
}

/* ---- running them ---- */

static bool is_in_versions(const struct hazard_rule *rule, unsigned major)
{
    return (!rule->since || major >= rule->since) && (!rule->until || major <= rule->until);
}

static bool counts(const struct hazard_rule *rule, unsigned major,
                   const struct hazard_policy *policy)
{
    return is_in_versions(rule, major) &&
           rules_policy_level(policy, rule->id, rule->level) != HAZARD_OFF;
}

static void choose(struct arena *a, const struct row_list *from, unsigned major,
                   const struct hazard_policy *policy, struct row_list *out)
{
    for (size_t i = 0; i < from->count; i++) {
        if (counts(&from->at[i]->rule, major, policy))
            vec_push(a, out, from->at[i]);
    }
}

const struct rule_choice *rules_choose(struct arena *a, enum engine engine, unsigned major,
                                       const struct hazard_policy *policy)
{
    const struct rule_choice *all = &the_registry()->all;
    struct rule_choice *c = arena_new(a, struct rule_choice);
    bool is_sqlite = engine == ENGINE_SQLITE;
    choose(a, &all->at_end[is_sqlite], major, policy, &c->at_end[is_sqlite]);
    if (is_sqlite) {
        choose(a, &all->sqlite, major, policy, &c->sqlite);
        return c;
    }
    choose(a, &all->always, major, policy, &c->always);
    for (size_t i = 0; i < NODES_MAX; i++)
        choose(a, &all->by_node[i], major, policy, &c->by_node[i]);
    return c;
}

static void run(struct rule_subject *s, const struct row_list *rows, bool is_end)
{
    for (size_t i = 0; i < rows->count; i++) {
        s->row = rows->at[i];
        if (!s->choice && !counts(&s->row->rule, s->major, s->policy))
            continue;
        if (is_end)
            s->row->check_end(s);
        else
            s->row->check(s);
    }
    s->row = NULL;
}

static int compare_findings(const void *left, const void *right)
{
    const struct hazard *a = left;
    const struct hazard *b = right;
    if (a->level != b->level)
        return a->level > b->level ? -1 : 1;
    int order = strcmp(a->rule->id, b->rule->id);
    if (order == 0 && a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return order ? order : strcmp(a->message, b->message);
}

void rules_check(enum engine engine, struct rule_subject *s)
{
    const struct rule_choice *r = s->choice ? s->choice : &the_registry()->all;
    if (!s->statement) {
        run(s, &r->at_end[engine == ENGINE_SQLITE], true);
    } else if (engine == ENGINE_SQLITE) {
        run(s, &r->sqlite, false);
    } else {
        unsigned node = rule_subject_node(s);
        if (node && node < NODES_MAX)
            run(s, &r->by_node[node], false);
        run(s, &r->always, false);
    }
    if (s->out->count < 2)
        return;
    qsort(s->out->at, s->out->count, sizeof(*s->out->at), compare_findings);
    size_t kept = 1; /* the same is said once: of a statement and what is within it */
    for (size_t i = 1; i < s->out->count; i++) {
        if (compare_findings(&s->out->at[kept - 1], &s->out->at[i]) != 0)
            s->out->at[kept++] = s->out->at[i];
    }
    s->out->count = kept;
}

/* ---- findings ---- */

enum hazard_level rules_policy_level(const struct hazard_policy *policy, const char *id,
                                     enum hazard_level level)
{
    if (!policy)
        return level;
    for (size_t i = policy->settings.count; i > 0; i--) {
        if (str_equal(policy->settings.at[i - 1].id, str_of(id)))
            return policy->settings.at[i - 1].level;
    }
    return level == HAZARD_OFF && policy->is_strict ? HAZARD_NOTE : level;
}

bool rules_is_new(const struct catalog *c, const struct catalog_relation *r)
{
    if (!r || !r->created_in || !c->migration)
        return false;
    return r->created_in == c->migration || c->source >= CATALOG_SCRIPT;
}

/* Offline, the files before this one may have run long ago: their tables are empty in the plan only. */
static bool is_empty(const struct rule_subject *s, const struct catalog_relation *r)
{
    return r->rows == ROWS_NONE && (!r->created_in || rules_is_new(s->catalog, r));
}

/* What the catalog proves in favour of the statement. */
static void exempt(const struct rule_subject *s, const struct catalog_relation *r, struct hazard *h)
{
    unsigned allowed = h->rule->exemptions;
    if (!r || !allowed || !s->catalog)
        return;
    if ((allowed & EXEMPT_NEW) && rules_is_new(s->catalog, r)) {
        h->level = HAZARD_OFF;
        h->exempted_by = "it was made in this migration";
    } else if ((allowed & EXEMPT_EMPTY) && is_empty(s, r)) {
        h->level = HAZARD_OFF;
        h->exempted_by = "the table is empty";
    } else if ((allowed & EXEMPT_SMALL) && r->row_estimate >= 0 &&
               r->row_estimate <= HAZARD_SMALL_ROWS && h->level > HAZARD_NOTE) {
        h->level--;
        h->exempted_by = "the table is small";
    }
}

static void add_finding(struct rule_subject *s, const struct rule_finding *what,
                        const char *message)
{
    const struct hazard_rule *rule = &s->row->rule;
    struct hazard h = {
        .rule = rule,
        .level = rules_policy_level(s->policy, rule->id, rule->level),
        .message = message,
        .fix = what->fix ? what->fix : rule->fix,
        .relation = arena_str(s->a, what->name), /* it may be a name in the tree, which goes away */
        .offset_bytes = what->offset_bytes,
        .line = what->line,
    };
    if (!h.line && s->statement)
        h.line = s->statement->line;
    if (what->relation && !what->name.len)
        h.relation = catalog_relation_text(s->a, what->relation);
    exempt(s, what->relation, &h);
    if (h.level != HAZARD_OFF)
        vec_push(s->a, s->out, h);
}

void rule_report(struct rule_subject *s, const struct catalog_relation *relation,
                 const char *format, ...)
{
    va_list values;
    va_start(values, format);
    const char *message = arena_vprintf(s->a, format, values);
    va_end(values);
    add_finding(s, &(struct rule_finding){.relation = relation}, message);
}

void rule_report_at(struct rule_subject *s, const struct rule_finding *what, const char *format,
                    ...)
{
    va_list values;
    va_start(values, format);
    const char *message = arena_vprintf(s->a, format, values);
    va_end(values);
    add_finding(s, what, message);
}
