/*
 * What a PostgreSQL statement is: kind, class, transaction role, session effect, probe, secrets. From
 * its tree where the parser knows it (judge_tree), from its first words where it does not
 * (judge_tokens). Pure; looks at one statement at a time.
 */
#ifndef PLANNER_POSTGRES_JUDGE_H
#define PLANNER_POSTGRES_JUDGE_H

#include "core/model/dialect.h"
#include "planner/postgres/parse.h"

struct judging {
    struct arena *a;
    uint32_t server_version; /* 150004; 0: not known, then the newest behaviour is assumed */
    struct statement *s;     /* text, place and is_copy_from_stdin are set */
};

/* A row says what is true of most statements of its kind; look() corrects the rest. */
struct kind_row {
    const char *kind; /* the command tag, as the server names it */
    enum statement_class class;
    const char *reason; /* of class */
    enum session_effect session;
    void (*look)(struct judging *j, const PgQuery__Node *node);
    const char *source; /* where the facts of the row are written */
};

void judge_tree(struct judging *j, const PgQuery__Node *node);
/* Behind judge_tree(): refuses what writes to migrate's own record; NULL: nothing does. */
void judge_record(struct judging *j, struct cut_record *record, const PgQuery__Node *node);
/* The statement was not parsed, for the reason given. tokens: all of the statement. */
void judge_tokens(struct judging *j, const struct token *at, size_t count, const char *why);
/* Whether the text holds what looks like a password; asked of every statement. tokens: all of it. */
/* The statement as it may be shown and stored: see struct dialect. */
struct str judge_redact(struct arena *a, const struct statement *s);
bool judge_has_secret(struct str text, const struct token *at, size_t count); /* judge_secret.c */
/* The same of a statement that does not parse: its PASSWORD may be mistyped. Any text constant of a statement
   about roles counts, and one behind a word that is nearly that. */
bool judge_may_have_secret(struct str text, const struct token *at, size_t count);

/* The row of a node kind, for tests; NULL where there is none. */
const struct kind_row *judge_row(unsigned node_case);

/* ---- shared by the files behind it ---- */

void judge_destroys(struct judging *j, const char *reason);
void judge_adds(struct judging *j, const char *reason);
/* ROLE_ALONE; names may be NULL and are copied. */
void judge_alone(struct judging *j, enum probe_kind kind, const char *schema, const char *name);
/* ROLE_REFUSED, with what to do instead. */
void judge_refuses(struct judging *j, const char *what_instead);

/* Command tags of the object kinds: "DROP TABLE", "ALTER TABLE". Static; never NULL. */
const char *judge_drop_kind(PgQuery__ObjectType type);
const char *judge_alter_kind(PgQuery__ObjectType type);

/* DefElem by name in a list of options, or NULL; and its value as text ("" where it has none). */
const PgQuery__DefElem *judge_option(PgQuery__Node *const *at, size_t count, const char *name);
struct str judge_option_text(struct arena *a, const PgQuery__DefElem *e);
/* Whether an option is given and not off. */
bool judge_option_is_on(struct arena *a, PgQuery__Node *const *at, size_t count, const char *name);

/* look() functions, by the file they are in. */
void look_alter_table(struct judging *j, const PgQuery__Node *node); /* judge_table.c */
void look_index(struct judging *j, const PgQuery__Node *node);       /* judge_alone.c */
void look_drop(struct judging *j, const PgQuery__Node *node);
void look_reindex(struct judging *j, const PgQuery__Node *node);
void look_cluster(struct judging *j, const PgQuery__Node *node);
void look_do(struct judging *j, const PgQuery__Node *node);
void look_vacuum(struct judging *j, const PgQuery__Node *node);
void look_create_database(struct judging *j, const PgQuery__Node *node);
void look_drop_database(struct judging *j, const PgQuery__Node *node);
void look_alter_database(struct judging *j, const PgQuery__Node *node);
void look_create_tablespace(struct judging *j, const PgQuery__Node *node);
void look_drop_tablespace(struct judging *j, const PgQuery__Node *node);
void look_alter_system(struct judging *j, const PgQuery__Node *node);
void look_create_subscription(struct judging *j, const PgQuery__Node *node);
void look_alter_subscription(struct judging *j, const PgQuery__Node *node);
void look_drop_subscription(struct judging *j, const PgQuery__Node *node);
void look_alter_enum(struct judging *j, const PgQuery__Node *node);
void look_discard(struct judging *j, const PgQuery__Node *node);
void look_set(struct judging *j, const PgQuery__Node *node); /* judge_session.c */
void look_transaction(struct judging *j, const PgQuery__Node *node);
void look_select(struct judging *j, const PgQuery__Node *node);
void look_insert(struct judging *j, const PgQuery__Node *node);
/* UPDATE, DELETE, MERGE and what else runs a query: what its functions may do to the session. */
void look_functions(struct judging *j, const PgQuery__Node *node);
void look_copy(struct judging *j, const PgQuery__Node *node);
void look_explain(struct judging *j, const PgQuery__Node *node);
void look_create_table(struct judging *j, const PgQuery__Node *node); /* judge_create.c */
void look_create_table_as(struct judging *j, const PgQuery__Node *node);
void look_create_view(struct judging *j, const PgQuery__Node *node);
void look_create_sequence(struct judging *j, const PgQuery__Node *node);
void look_create_function(struct judging *j, const PgQuery__Node *node);
void look_define(struct judging *j, const PgQuery__Node *node);
void look_rule(struct judging *j, const PgQuery__Node *node);
void look_declare_cursor(struct judging *j, const PgQuery__Node *node);
void look_role(struct judging *j, const PgQuery__Node *node);
void look_user_mapping(struct judging *j, const PgQuery__Node *node);
void look_server(struct judging *j, const PgQuery__Node *node);
void look_rename(struct judging *j, const PgQuery__Node *node); /* judge_alter.c */
void look_alter_object(struct judging *j, const PgQuery__Node *node);
void look_alter_domain(struct judging *j, const PgQuery__Node *node);
void look_alter_sequence(struct judging *j, const PgQuery__Node *node);
void look_grant(struct judging *j, const PgQuery__Node *node);
void look_operator_family(struct judging *j, const PgQuery__Node *node);

#endif
