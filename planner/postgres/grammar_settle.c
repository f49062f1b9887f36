/* One form of tree, whichever grammar made it: what only a newer parser writes is said as in grammar.h. */
#include "core/base/buf.h"
#include "core/base/text.h"
#include "planner/postgres/grammar.h"
#include "planner/postgres/grammar_compat.h"

static int digit_of(char c)
{
    if (char_is_digit(c))
        return c - '0';
    return char_is_alpha(c) ? char_lower(c) - 'a' + 10 : 0;
}

/* Of a number that is too long for 64 bits, its size. */
const char *grammar_plain_number(struct arena *a, struct str token)
{
    char prefix = token.len > 2 && token.at[0] == '0' ? char_lower(token.at[1]) : 0;
    unsigned radix = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 10;
    if (radix == 10 && str_find_char(token, '_') == SIZE_MAX)
        return NULL;
    SCOPED(buf) struct buf plain = {0};
    uint64_t value = 0;
    for (size_t k = radix == 10 ? 0 : 2; k < token.len; k++) {
        if (token.at[k] == '_')
            continue;
        buf_add_char(&plain, token.at[k]);
        value = value > UINT64_MAX / 16 - 16 ? UINT64_MAX / 16
                                             : value * radix + (unsigned)digit_of(token.at[k]);
    }
    return radix == 10 ? arena_cstr(a, buf_str(&plain))
                       : arena_printf(a, "%llu", (unsigned long long)value);
}

#if PG_VERSION_NUM >= 160000

/* A digit with _ or one of x, o, b behind it: few texts have that, and only those are looked through. */
static bool may_spell_numbers(struct str text)
{
    for (size_t i = 1; i < text.len; i++) {
        char c = char_lower(text.at[i]);
        if ((c == '_' || c == 'x' || c == 'o' || c == 'b') && char_is_digit(text.at[i - 1]))
            return true;
    }
    return false;
}

static bool plain_number(void *context, const ProtobufCMessage *message)
{
    if (message->descriptor != &pg_query__float__descriptor)
        return false;
    /* The tree is ours: it has just been made, in our arena. */
    PgQuery__Float *number = (PgQuery__Float *)(uintptr_t)message;
    const char *plain = grammar_plain_number(context, str_of(number->fval));
    if (plain)
        number->fval = (char *)(uintptr_t)plain;
    return false;
}

static void settle_command(PgQuery__AlterTableCmd *cmd)
{
    if (cmd->subtype != PG_QUERY__ALTER_TABLE_TYPE__AT_SetExpression)
        return;
    cmd->subtype = PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault;
    cmd->num = 1;
}

void grammar_settle(struct arena *a, struct str text, PgQuery__ParseResult *root)
{
    for (size_t i = 0; i < root->n_stmts; i++) {
        PgQuery__Node *node = root->stmts[i]->stmt;
        if (!node || node->node_case != PG_QUERY__NODE__NODE_ALTER_TABLE_STMT)
            continue;
        for (size_t k = 0; k < node->alter_table_stmt->n_cmds; k++) {
            if (node->alter_table_stmt->cmds[k]->node_case == PG_QUERY__NODE__NODE_ALTER_TABLE_CMD)
                settle_command(node->alter_table_stmt->cmds[k]->alter_table_cmd);
        }
    }
    if (may_spell_numbers(text))
        (void)parse_tree_visit(&root->base, plain_number, a);
}

#else

void grammar_settle(struct arena *a, struct str text, PgQuery__ParseResult *root)
{
    (void)a, (void)text, (void)root;
}

#endif
