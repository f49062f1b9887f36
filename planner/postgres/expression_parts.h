/*
 * What the files behind the expressions of types.h share: type and volatility of an expression, found
 * together in one walk (nested calls would else be looked at again and again), and which function or
 * operator a call means.
 */
#ifndef PLANNER_POSTGRES_EXPRESSION_PARTS_H
#define PLANNER_POSTGRES_EXPRESSION_PARTS_H

#include "planner/postgres/type_parts.h"

/* A text as an expression's tree in the arena; NULL: it is none. */
const PgQuery__Node *expression_parse(struct arena *a, struct str text);

/* Where an expression stands. */
struct surroundings {
    const struct catalog *c;
    const struct catalog_relation *r; /* whose columns it may name; or NULL */
    const struct catalog_function *f; /* whose body it is; or NULL */
    const struct surroundings *outer; /* where that is called; or NULL */
    size_t depth;                     /* bodies within bodies */
    struct arena *a;                  /* for what is only needed while it is judged */
};

/* type: nothing where it is not known; "unknown" of a literal that takes its type from where it
   stands. */
struct judged {
    struct type_ref type;
    enum volatility volatility;
};
struct judged expression_judge(const struct surroundings *s, const PgQuery__Node *tree);

static inline bool type_is_known(const struct type_ref *t)
{
    return t->builtin.len || t->user || t->unknown.len;
}
static inline bool type_is_literal(const struct type_ref *t)
{
    return str_equal(t->builtin, STR("unknown"));
}
static inline struct type_ref type_builtin(const char *name)
{
    return (struct type_ref){.builtin = str_of(name), .typmod = -1};
}
static inline struct type_ref type_nothing(void)
{
    return (struct type_ref){.typmod = -1};
}

enum volatility volatility_worse(enum volatility a, enum volatility b);
enum volatility volatility_of_letter(char letter); /* 'i', 's', 'v' */

#define CALL_ARGUMENTS_MAX 100 /* FUNC_MAX_ARGS */

/* A call by the functions that it may mean: those that the server would choose from, by name, number and
   types of the arguments. With the arguments' volatility. */
struct judged call_judge(const struct surroundings *s, const PgQuery__FuncCall *call,
                         const struct judged *arguments, size_t count);
/* The same of an operator; left or right may be NULL: there is none. */
struct judged operator_judge(const struct surroundings *s, struct str name,
                             const struct judged *left, const struct judged *right);
/* A user's function: as it is declared, or, where the server puts its body in its place, as that is
   (clauses.c: inline_function). */
enum volatility user_call_volatility(const struct surroundings *s, const struct catalog_function *f,
                                     const struct judged *arguments, size_t count);

/* The i-th parameter of the function in whose body a node stands: $1, or its name; SIZE_MAX: none. */
size_t parameter_of(const struct catalog_function *f, const PgQuery__Node *node);
/* The last two of a list of String nodes: schema (may be NULL) and name. */
struct str expression_name(PgQuery__Node *const *names, size_t count, struct str *out_schema);

#endif
