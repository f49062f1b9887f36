/* Rights that roles have on one column alone, as pg_attribute.attacl has them (acl.c: aclitemout). */
#include "planner/postgres/rewrite_sync.h"

/* A role's name of an item: quoted with '"' where it is not plain; within the array's text each item that
   has quotes is quoted once more. */
struct reading {
    struct str text; /* what is left */
};

/* The next item without the quotes of the array; false: there is none. */
static bool next_item(struct reading *x, struct buf *out)
{
    buf_clear(out);
    if (!x->text.len)
        return false;
    bool is_quoted = x->text.at[0] == '"';
    size_t i = is_quoted;
    for (; i < x->text.len && x->text.at[i] != (is_quoted ? '"' : ','); i++) {
        if (is_quoted && x->text.at[i] == '\\' && i + 1 < x->text.len)
            i++;
        buf_add_char(out, x->text.at[i]);
    }
    x->text = str_skip(x->text, i + is_quoted);
    if (x->text.len)
        x->text = str_skip(x->text, 1); /* , */
    return out->len > 0;
}

/* "name" or name up to '='; PUBLIC has none. */
static bool take_role(struct arena *a, struct str *item, const char **out)
{
    SCOPED(buf) struct buf name = {0};
    size_t i = 0;
    bool is_quoted = false;
    for (; i < item->len && (is_quoted || item->at[i] != '='); i++) {
        bool is_twice =
            is_quoted && item->at[i] == '"' && i + 1 < item->len && item->at[i + 1] == '"';
        if (item->at[i] == '"' && !is_twice) {
            is_quoted = !is_quoted;
            continue;
        }
        i += is_twice;
        buf_add_char(&name, item->at[i]);
    }
    bool is_found = i < item->len;
    *item = str_skip(*item, i + 1);
    *out = name.len ? arena_cstr(a, catalog_identifier(a, buf_done(a, &name))) : "PUBLIC";
    return is_found;
}

static const char *right_name(char letter)
{
    switch (letter) {
    case 'r':
        return "SELECT";
    case 'a':
        return "INSERT";
    case 'w':
        return "UPDATE";
    case 'x':
        return "REFERENCES";
    default:
        return NULL;
    }
}

/* "rw*": those with a star may be given on, and need a statement of their own. */
static bool grant(struct sync_pair *s, const char *role, struct str letters, bool is_passed_on)
{
    SCOPED(buf) struct buf rights = {0};
    for (size_t i = 0; i < letters.len && letters.at[i] != '/'; i++) {
        bool has_star = i + 1 < letters.len && letters.at[i + 1] == '*';
        const char *name = right_name(letters.at[i]);
        if (!name)
            return false;
        if (has_star == is_passed_on)
            buf_printf(&rights, "%s%s (%s)", rights.len ? ", " : "", name, s->new_name);
        i += has_star;
    }
    if (!rights.len)
        return true;
    struct online_step *step =
        rewrite_step(s->r, PHASE_EXPAND, "gives a role the rights that it has on the old column",
                     "GRANT %s ON %s TO %s%s", buf_cstr(&rights), s->relation, role,
                     is_passed_on ? " WITH GRANT OPTION" : "");
    step->undo_cost = UNDO_FREE; /* they go with the column */
    return true;
}

bool sync_copy_rights(struct sync_pair *s)
{
    struct str text = s->old->rights;
    SCOPED(buf) struct buf item = {0};
    if (text.len < 2)
        return true;
    struct reading x = {.text = {text.at + 1, text.len - 2}}; /* { } */
    while (next_item(&x, &item)) {
        struct str rest = buf_str(&item);
        const char *role;
        if (!take_role(s->r->a, &rest, &role) || !grant(s, role, rest, false) ||
            !grant(s, role, rest, true))
            return false;
    }
    return true;
}
