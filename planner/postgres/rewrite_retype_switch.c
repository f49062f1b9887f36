/* The switch of a change of type: the new column takes the name, and the old one goes, or follows it. */
#include "planner/postgres/object_names.h"
#include "planner/postgres/rewrite_retype.h"

/* What is said of the column and of what hangs on it, beside its definition; kept as statements until
   the names are those of before. Read when it happens: rights and comments may have been given since. */
static const char keep_sayings[] =
    "    commands := ARRAY(\n"
    "        SELECT pg_catalog.format('COMMENT ON COLUMN %s.%I IS %L', relation, name,\n"
    "                      pg_catalog.col_description(relation, number))\n"
    "         WHERE pg_catalog.col_description(relation, number) IS NOT NULL\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', "
    "relation, name, attstattarget)\n"
    "          FROM pg_catalog.pg_attribute WHERE attrelid = relation AND attnum = number AND "
    "attstattarget >= 0\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', relation, "
    "name,\n"
    "                      pg_catalog.array_to_string(attoptions, ', '))\n"
    "          FROM pg_catalog.pg_attribute WHERE attrelid = relation AND attnum = number AND "
    "attoptions IS NOT NULL\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('GRANT %s (%I) ON %s TO %s%s', r.privilege_type, name, "
    "relation,\n"
    "                      CASE WHEN r.grantee = 0 THEN 'PUBLIC' ELSE "
    "r.grantee::pg_catalog.regrole::text END,\n"
    "                      CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)\n"
    "          FROM pg_catalog.pg_attribute, pg_catalog.aclexplode(attacl) AS r\n"
    "         WHERE attrelid = relation AND attnum = number\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, "
    "conrelid::pg_catalog.regclass,\n"
    "                      pg_catalog.obj_description(oid, 'pg_constraint'))\n"
    "          FROM pg_catalog.pg_constraint\n"
    "         WHERE (conrelid = relation AND number = ANY (conkey) OR\n"
    "                confrelid = relation AND number = ANY (confkey))\n"
    "           AND contype <> 'n' AND pg_catalog.obj_description(oid, 'pg_constraint') IS NOT "
    "NULL\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('COMMENT ON INDEX %s IS %L', "
    "objid::pg_catalog.regclass,\n"
    "                      pg_catalog.obj_description(objid, 'pg_class'))\n"
    "          FROM (SELECT indexrelid AS objid FROM pg_catalog.pg_index\n"
    "                 WHERE indrelid = relation AND (number = ANY (indkey) OR indexrelid IN (\n"
    "                       SELECT d.objid FROM pg_catalog.pg_depend AS d WHERE d.refobjid = "
    "relation AND d.refobjsubid = number))) AS i\n"
    "         WHERE pg_catalog.obj_description(objid, 'pg_class') IS NOT NULL);\n";

/* An identity's sequence goes with its column; the new one goes on where it stood, with the largest
   value of the new type where it had that of the old one (sequence.c: init_params). ALTER SEQUENCE locks it
   (SHARE ROW EXCLUSIVE): nobody takes a number between the look at it and its end. */
static const char keep_identity[] =
    "    EXECUTE (SELECT pg_catalog.format('ALTER SEQUENCE %%s CACHE %%s', %s, seqcache)\n"
    "               FROM pg_catalog.pg_sequence WHERE seqrelid = %s::pg_catalog.regclass);\n"
    "    commands := commands || ARRAY(\n"
    "        SELECT pg_catalog.format('ALTER TABLE %%s ALTER COLUMN %%I ADD GENERATED %s AS "
    "IDENTITY "
    "(SEQUENCE NAME %%s '\n"
    "                      'INCREMENT BY %%s START WITH %%s CACHE %%s%%s%%s%%s)', relation, name, "
    "%s, seqincrement, seqstart, seqcache,\n"
    "                      CASE WHEN seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN ' "
    "MAXVALUE ' || seqmax ELSE '' END,\n"
    "                      CASE WHEN seqmin NOT IN (-32768, -2147483648, -9223372036854775808) "
    "THEN "
    "' MINVALUE ' || seqmin ELSE '' END,\n"
    "                      CASE WHEN seqcycle THEN ' CYCLE' ELSE '' END)\n"
    "          FROM pg_catalog.pg_sequence WHERE seqrelid = %s::pg_catalog.regclass\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('SELECT pg_catalog.setval(%%L, %%s, %%L)', %s, last_value, "
    "is_called) FROM %s\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('GRANT %%s ON SEQUENCE %%s TO %%s%%s', r.privilege_type, "
    "%s,\n"
    "                      CASE WHEN r.grantee = 0 THEN 'PUBLIC' ELSE "
    "r.grantee::pg_catalog.regrole::text END,\n"
    "                      CASE WHEN r.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)\n"
    "          FROM pg_catalog.pg_class, pg_catalog.aclexplode(relacl) AS r\n"
    "         WHERE oid = %s::pg_catalog.regclass AND r.grantee <> relowner\n"
    "        UNION ALL\n"
    "        SELECT pg_catalog.format('COMMENT ON SEQUENCE %%s IS %%L', %s,\n"
    "                      pg_catalog.obj_description(%s::pg_catalog.regclass, 'pg_class'))\n"
    "         WHERE pg_catalog.obj_description(%s::pg_catalog.regclass, 'pg_class') IS NOT "
    "NULL);\n";

/* What was made on the column since the form was: nobody has made it again. */
static const char guard[] =
    "    SELECT pg_catalog.pg_describe_object(classid, objid, objsubid) INTO found\n"
    "      FROM pg_catalog.pg_depend\n"
    "     WHERE refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND refobjid = relation "
    "AND refobjsubid = number\n"
    "       AND NOT (classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND objid IN (\n"
    "                SELECT oid FROM pg_catalog.pg_attrdef WHERE adrelid = relation AND adnum = "
    "number)\n"
    "            OR classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND objid IN (\n"
    "                SELECT oid FROM pg_catalog.pg_constraint WHERE contype = 'n'%s)\n"
    "            OR classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND objid IN (\n"
    "                SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'S'%s))\n"
    "     LIMIT 1;\n"
    "    IF found IS NOT NULL THEN\n"
    "        RAISE EXCEPTION '%% was made since the change of the column''s type was begun, and is "
    "not made ready', found\n"
    "            USING HINT = 'Drop it, and make it again when the change is done.';\n"
    "    END IF;\n";

static const char *quoted(const struct retype *x, struct str name)
{
    return arena_cstr(x->s.r->a, catalog_identifier(x->s.r->a, name));
}

static const char *text_literal(const struct retype *x, const char *text)
{
    return sync_literal(x->s.r->a, str_of(text));
}

/* Constraints and indexes of the old column that have a successor. */
static void add_guard(struct retype *x, struct buf *out)
{
    SCOPED(buf) struct buf constraints = {0};
    SCOPED(buf) struct buf indexes = {0};
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct retype_constraint *k = &x->constraints.at[i];
        buf_printf(
            &constraints,
            "\n                       OR conrelid = %s::pg_catalog.regclass AND conname = %s",
            text_literal(x, k->relation), sync_literal(x->s.r->a, k->like->name));
    }
    for (size_t i = 0; i < x->indexes.count; i++) {
        const struct catalog_relation *like = x->indexes.at[i].like;
        if (like->index->constraint)
            buf_printf(&constraints,
                       "\n                       OR conrelid = relation AND conname = %s",
                       sync_literal(x->s.r->a, like->index->constraint->name));
        buf_printf(&indexes, "\n                       OR oid = %s::pg_catalog.regclass",
                   sync_literal(x->s.r->a, catalog_relation_text(x->s.r->a, like)));
    }
    buf_printf(out, guard, buf_cstr(&constraints), buf_cstr(&indexes));
}

static bool is_incoming(const struct retype *x, const struct retype_constraint *k)
{
    for (size_t i = 0; i < k->like->referenced_columns.count; i++) {
        if (k->like->referenced == x->s.table && k->like->referenced_columns.at[i] == x->s.old)
            return true;
    }
    return false;
}

/* All at once and first of all: nobody waits for a table that we hold while we wait for another one. */
static void add_locks(const struct table_locks *locks, struct buf *out)
{
    buf_add_cstr(out, "    LOCK TABLE ");
    for (size_t i = 0; i < locks->count; i++)
        buf_printf(out, "%s%.*s", i ? ", " : "", STR_ARG(locks->at[i].table));
    buf_add_cstr(out, " IN ACCESS EXCLUSIVE MODE;\n");
}

static void add_sequence(struct retype *x, struct buf *out)
{
    const struct catalog_relation *sequence = x->s.old->sequence;
    struct arena *a = x->s.r->a;
    if (!sequence)
        return;
    const char *name = arena_cstr(a, catalog_relation_text(a, sequence));
    const char *l = text_literal(x, name);
    if (x->s.old->identity)
        buf_printf(out, keep_identity, l, l, x->s.old->identity == 'a' ? "ALWAYS" : "BY DEFAULT", l,
                   l, l, name, l, l, l, l, l);
    else if (sequence->sequence->owner_column == x->s.old)
        buf_printf(out, "    ALTER SEQUENCE %s OWNED BY %s.%s;\n", name, x->s.relation,
                   x->s.new_name);
}

/* The column that has the name until now goes, with all that hangs on it. */
static void drop_column(struct retype *x, struct buf *out)
{
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct retype_constraint *k = &x->constraints.at[i];
        if (is_incoming(x, k))
            buf_printf(out, "    ALTER TABLE %s DROP CONSTRAINT %s;\n", k->relation,
                       quoted(x, k->like->name));
    }
    add_sequence(x, out);
    buf_printf(out, "    ALTER TABLE %s DROP COLUMN %s;\n", x->s.relation, x->s.old_name);
    buf_printf(out, "    ALTER TABLE %s RENAME COLUMN %s TO %s;\n", x->s.relation, x->s.new_name,
               x->s.old_name);
}

/* All that hangs on it goes; it stays itself, and takes the other's name. */
static void rename_column(struct retype *x, struct buf *out)
{
    const struct sync_pair *s = &x->s;
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct retype_constraint *k = &x->constraints.at[i];
        buf_printf(out, "    ALTER TABLE %s DROP CONSTRAINT %s;\n", k->relation,
                   quoted(x, k->like->name));
    }
    add_sequence(x, out);
    if (s->old->identity)
        buf_printf(out, "    ALTER TABLE %s ALTER COLUMN %s DROP IDENTITY;\n", s->relation,
                   s->old_name);
    if (x->default_text)
        buf_printf(out, "    ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT;\n", s->relation,
                   s->old_name);
    for (size_t i = 0; i < x->indexes.count; i++) {
        const struct catalog_relation *like = x->indexes.at[i].like;
        if (like->index->constraint)
            buf_printf(out, "    ALTER TABLE %s DROP CONSTRAINT %s;\n", s->relation,
                       quoted(x, like->index->constraint->name));
        else
            buf_printf(out, "    DROP INDEX %.*s;\n",
                       STR_ARG(catalog_relation_text(s->r->a, like)));
    }
    if (s->old->is_not_null)
        buf_printf(out, "    ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;\n", s->relation,
                   s->old_name);
    const char *between = arena_printf(s->r->a, "migrate_%s_o", s->tag);
    const char *const names[][2] = {
        {s->old_name, between}, {s->new_name, s->old_name}, {between, s->new_name}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        buf_printf(out, "    ALTER TABLE %s RENAME COLUMN %s TO %s;\n", s->relation, names[i][0],
                   names[i][1]);
}

static void add_constraint_names(struct retype *x, struct buf *out)
{
    for (size_t i = 0; i < x->constraints.count; i++) {
        const struct retype_constraint *k = &x->constraints.at[i];
        buf_printf(out, "    ALTER TABLE %s RENAME CONSTRAINT %s TO %s;\n", k->relation, k->name,
                   quoted(x, k->like->name));
    }
    /* From 18 on NOT NULL is a constraint with a name. */
    for (size_t i = 0; i < x->s.table->constraints.count; i++) {
        const struct catalog_constraint *k = x->s.table->constraints.at[i];
        if (k->is_dropped || k->kind != CONSTRAINT_NOT_NULL || k->columns.count != 1 ||
            k->columns.at[0] != x->s.old)
            continue;
        struct str own = object_name_constraint(x->s.r->catalog, x->s.table, str_of(x->s.new_name),
                                                STR("not_null"));
        buf_printf(out, "    ALTER TABLE %s RENAME CONSTRAINT %s TO %s;\n", x->s.relation,
                   quoted(x, own), quoted(x, k->name));
    }
}

static void add_index_names(struct retype *x, struct buf *out)
{
    struct arena *a = x->s.r->a;
    for (size_t i = 0; i < x->indexes.count; i++) {
        const struct sync_index *index = &x->indexes.at[i];
        const struct catalog_constraint *k = index->like->index->constraint;
        if (k)
            buf_printf(
                out, "    ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX migrate_%s_i%zu;\n",
                x->s.relation, quoted(x, k->name),
                k->kind == CONSTRAINT_PRIMARY_KEY ? "PRIMARY KEY" : "UNIQUE", x->s.tag, i + 1);
        else
            buf_printf(out, "    ALTER INDEX %s RENAME TO %.*s;\n", index->name,
                       STR_ARG(catalog_identifier(a, index->like->name)));
    }
}

/* What the column that gets the name takes over. */
static void take_over(struct retype *x, struct buf *out)
{
    add_index_names(x, out);
    add_constraint_names(x, out);
    if (x->default_text)
        buf_printf(out, "    ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s;\n", x->s.relation,
                   x->s.old_name, x->default_text);
    buf_add_cstr(out, "    FOREACH command IN ARRAY commands LOOP\n        EXECUTE command;\n"
                      "    END LOOP;\n");
}

static struct online_step *write_step(struct retype *x, const struct table_locks *locks,
                                      const struct buf *body, const char *does)
{
    const struct sync_pair *s = &x->s;
    const char *declarations = arena_printf(
        s->r->a,
        "DECLARE\n    relation pg_catalog.regclass := %s;\n    name pg_catalog.text := %s;\n"
        "    number pg_catalog.int2;\n    found pg_catalog.text;\n    command pg_catalog.text;\n"
        "    commands pg_catalog.text[];\n",
        text_literal(x, s->relation), sync_literal(s->r->a, s->old->name));
    struct online_step *step =
        rewrite_step(s->r, PHASE_SWITCH, does, "%s", sync_block(s, declarations, body));
    step->locks = locks;
    return step;
}

static void begin_body(const struct table_locks *locks, struct buf *out)
{
    add_locks(locks, out);
    buf_add_cstr(out,
                 "    SELECT attnum INTO STRICT number FROM pg_catalog.pg_attribute WHERE attrelid "
                 "= relation AND attname = name AND NOT attisdropped;\n");
}

void retype_switch(struct retype *x)
{
    SCOPED(buf) struct buf body = {0};
    const struct table_locks *locks = retype_locks(x, LOCK_ACCESS_EXCLUSIVE);
    begin_body(locks, &body);
    sync_drop_forward(&x->s, &body);
    add_guard(x, &body);
    buf_add_cstr(&body, keep_sayings);
    drop_column(x, &body);
    take_over(x, &body);
    struct online_step *step =
        write_step(x, locks, &body, "drops the old column, and gives its name to the new one");
    step->waits = true;
}

void retype_change_places(struct retype *x, bool is_back)
{
    struct sync_pair *s = &x->s;
    SCOPED(buf) struct buf body = {0};
    const struct table_locks *locks = retype_locks(x, LOCK_ACCESS_EXCLUSIVE);
    begin_body(locks, &body);
    sync_drop_last_trigger(s, is_back ? "rev" : "fwd", &body);
    if (is_back)
        buf_printf(&body, "    ALTER TABLE %s DROP CONSTRAINT migrate_%s_b;\n", s->relation,
                   s->tag);
    add_guard(x, &body);
    buf_add_cstr(&body, keep_sayings);
    rename_column(x, &body);
    take_over(x, &body);
    buf_printf(&body, "    %s;\n",
               is_back ? sync_last_trigger(s, "fwd", sync_disagree(s, "NEW"))
                       : sync_last_trigger(s, "rev", retype_disagree_behind(s, "NEW")));
    struct online_step *step = write_step(
        x, locks, &body,
        is_back ? "lets both columns change places again"
                : "lets both columns change places: from here on the old one follows the new one");
    step->waits = !is_back;
}
