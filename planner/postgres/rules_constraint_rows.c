/* Rules about what rows and writers make of a new constraint. */
#include "planner/postgres/rules_support.h"

static bool is_added(const struct rule_constraint *c)
{
    return !c->column && !c->is_create && !rule_is_temporary(c->table);
}

static const char *name_of(const struct rule_constraint *c, const char *kind)
{
    return c->k->conname[0] ? c->k->conname : kind;
}

/* ---- what rows and writers make of it ---- */

static bool restricts(const struct rule_constraint *c)
{
    switch (c->k->contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION:
    case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        return true;
    default:
        return false;
    }
}

static void see_compat(struct rule_subject *s, const struct rule_constraint *c)
{
    bool was_unique = c->k->indexname[0] != '\0';
    if (is_added(c) && restricts(c) && !was_unique && !grammar_has(c->k, GRAMMAR_NOT_ENFORCED))
        rule_report_at(s, &c->about, "code that still writes rows of %.*s against %s fails%s",
                       STR_ARG(c->about.name), name_of(c, "it"),
                       c->k->skip_validation ? "; NOT VALID spares only the old rows" : "");
}

/* ALTER CONSTRAINT: when, and whether, the key is checked. */
static void see_altered(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    if (!def || def->node_case != PG_QUERY__NODE__NODE_CONSTRAINT)
        return;
    const PgQuery__Constraint *k = def->constraint;
    const struct catalog_constraint *was =
        c->table ? catalog_find_constraint(c->table, str_of(k->conname)) : NULL;
    if (grammar_has(k, GRAMMAR_ENFORCED))
        rule_report_at(s, &c->about, "code that still writes rows of %.*s against %s fails",
                       STR_ARG(c->about.name), k->conname);
    else if (k->old_pktable_oid)
        return;
    else if (k->initdeferred && !(was && was->is_deferred))
        rule_report_at(s, &c->about,
                       "%s is checked at COMMIT from here on: code that expects the error at its "
                       "statement gets it there",
                       k->conname);
    else if (!k->deferrable && !(was && !was->is_deferrable))
        rule_report_at(s, &c->about,
                       "%s can no longer be deferred to COMMIT: code that writes in another "
                       "order fails",
                       k->conname);
}

static void see_domain(struct rule_subject *s, const PgQuery__AlterDomainStmt *stmt)
{
    bool is_added = stmt->subtype[0] == 'C';
    bool is_not_valid = is_added && stmt->def &&
                        stmt->def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
                        stmt->def->constraint->skip_validation;
    struct str name = rule_names_text(s, stmt->type_name, stmt->n_type_name);
    if (is_added || stmt->subtype[0] == 'O')
        rule_report_at(s, &(struct rule_finding){.name = name},
                       "code that still writes values of %.*s against it fails, in every table%s",
                       STR_ARG(name), is_not_valid ? "; NOT VALID spares only the old rows" : "");
}

static void check_compat(struct rule_subject *s)
{
    if (!s->tree)
        return;
    if (rule_tree(s)->node_case == PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT)
        see_domain(s, rule_tree(s)->alter_domain_stmt);
    if (rule_tree(s)->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
        return;
    rule_each_constraint(s, 0, see_compat);
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint, see_altered);
}

static void see_data(struct rule_subject *s, const struct rule_constraint *c)
{
    if (is_added(c) && restricts(c) && !c->k->skip_validation && !c->k->indexname[0])
        rule_report_at(s, &c->about, "whether %s passes is decided by the rows of %.*s%s",
                       name_of(c, "it"), STR_ARG(c->about.name), rule_rows_text(s, c->table));
}

static void check_data(struct rule_subject *s)
{
    rule_each_constraint(s, 0, see_data);
}

static void see_not_enforced(struct rule_subject *s, const struct rule_constraint *c)
{
    if (grammar_has(c->k, GRAMMAR_NOT_ENFORCED))
        rule_report_at(s, &c->about, "%s of %.*s is not enforced: it holds nothing",
                       name_of(c, "the constraint"), STR_ARG(c->about.name));
}

static void see_no_longer_enforced(struct rule_subject *s, const struct rule_command *c)
{
    const PgQuery__Node *def = c->cmd->def;
    if (def && def->node_case == PG_QUERY__NODE__NODE_CONSTRAINT &&
        grammar_has(def->constraint, GRAMMAR_NOT_ENFORCED))
        rule_report_at(s, &c->about, "%s of %.*s is no longer enforced: wrong rows get in",
                       def->constraint->conname, STR_ARG(c->about.name));
}

static void check_not_enforced(struct rule_subject *s)
{
    if (!s->tree)
        return;
    rule_each_constraint(s, 0, see_not_enforced);
    rule_each_command(s, PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint, see_no_longer_enforced);
}

/* ---- at the end of the file ---- */

static void end_not_valid(struct rule_subject *s)
{
    for (size_t i = rule_first_made_constraint(s); i < s->catalog->constraints.count; i++) {
        const struct catalog_constraint *k = s->catalog->constraints.at[i];
        const struct catalog_relation *r = k->relation;
        if (!k->is_dropped && !r->is_dropped && !k->is_valid && k->is_enforced && !k->parent)
            rule_report_line(s, rule_line_of(s, r), r,
                             "%.*s of %.*s is left NOT VALID: the planner of queries does "
                             "not use it, and SET NOT NULL still reads the table",
                             STR_ARG(k->name), STR_ARG(catalog_relation_text(s->a, r)));
    }
    const struct file_state *state = rule_state(s);
    for (size_t i = 0; i < state->all.count; i++) {
        const struct noted *one = &state->all.at[i];
        if (one->kind == NOTED_NOT_VALID && !one->object &&
            !file_state_find(state, NOTED_VALIDATED, one->relation, one->name))
            rule_report_line(s, one->line, NULL,
                             "%.*s of %.*s is left NOT VALID: the planner of "
                             "queries does not use it, and SET NOT NULL still reads the table",
                             STR_ARG(one->name), STR_ARG(one->relation));
    }
}

static const struct rule_row rows[] = {
    {
        .rule =
            {
                .id = "add-constraint-compat",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW,
                .title = "running code may still write rows that a new constraint refuses",
                .why = "A constraint is enforced for new rows from the commit on, NOT VALID or "
                       "not. Writes of the last release that break it fail.",
                .fix = "Let the code keep the rule first, look for rows that break it, then add "
                       "the constraint.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                           "VALID;",
                .sources = "ddl-constraints.html",
            },
        .check = check_compat,
    },
    {
        .rule =
            {
                .id = "add-constraint-data-dependent",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .exemptions = EXEMPT_NEW | EXEMPT_EMPTY,
                .title = "whether the constraint can be added depends on the rows",
                .why = "Duplicates, NULLs, orphans and values out of range make the statement "
                       "fail, after it has read the table. An empty test database has none of "
                       "them.",
                .fix = "Count the offenders on a copy of production first. NOT VALID and "
                       "VALIDATE split the risk: the VALIDATE may fail and be repeated.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0);",
                .safe = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                        "VALID;",
                .sources = "ddl-constraints.html",
            },
        .check = check_data,
        .node = PG_QUERY__NODE__NODE_ALTER_TABLE_STMT,
    },
    {
        .rule =
            {
                .id = "constraint-not-enforced",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .since = 18,
                .title = "a constraint that is NOT ENFORCED holds nothing",
                .why = "It documents an intention: rows that break it get in, and the planner "
                       "of queries does not use it.",
                .fix = "Enforce it: NOT VALID, then VALIDATE CONSTRAINT. Otherwise say in a "
                       "comment who keeps it.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                           "ENFORCED;",
                .safe = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                        "VALID;",
                .sources = "sql-createtable.html (18)",
            },
        .check = check_not_enforced,
    },
    {
        .rule =
            {
                .id = "not-valid-left",
                .level = HAZARD_WARN,
                .engine = ENGINE_POSTGRES,
                .title = "a constraint is left NOT VALID",
                .why = "It is enforced for new rows, but nothing is known of the old ones: the "
                       "planner of queries does not use it, and SET NOT NULL reads the table "
                       "all the same.",
                .fix = "VALIDATE CONSTRAINT in a transaction of its own: in a later step of "
                       "this file, behind a COMMIT, or in the next migration.",
                .example = "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                           "VALID;",
                .safe = "BEGIN;\n"
                        "ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total > 0) NOT "
                        "VALID;\n"
                        "COMMIT;\n"
                        "ALTER TABLE orders VALIDATE CONSTRAINT total_positive;",
                .sources = "sql-altertable.html",
            },
        .check_end = end_not_valid,
    },
};
const struct rule_table rules_constraint_rows = {rows, ARRAY_LEN(rows)};
