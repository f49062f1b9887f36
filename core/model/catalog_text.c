/* Names as SQL writes them: quote_identifier() in ruleutils.c. A table of words is in it. */
#include "core/base/buf.h"
#include "core/model/catalog.h"

#include <stdlib.h>
#include <string.h>

/* Words that are quoted: all keywords but the unreserved ones, of the versions up to 18 (kwlist.h),
   sorted. */
static const char *const keywords[] = {
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
};

static int compare_word(const void *name, const void *word)
{
    const struct str *s = name;
    const char *with = *(const char *const *)word;
    int order = (unsigned char)s->at[0] - (unsigned char)with[0];
    return order ? order : str_compare(*s, str_of(with));
}

static bool is_keyword(struct str name)
{
    return bsearch(&name, keywords, ARRAY_LEN(keywords), sizeof(keywords[0]), compare_word) != NULL;
}

static bool is_plain(struct str name)
{
    bool has_digit = false; /* as no keyword has */
    if (!name.len || char_is_digit(name.at[0]))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!(c >= 'a' && c <= 'z') && !char_is_digit(c) && c != '_')
            return false;
        has_digit |= char_is_digit(c);
    }
    return has_digit || !is_keyword(name);
}

static void add_identifier(struct buf *out, struct str name)
{
    if (is_plain(name)) {
        buf_add_str(out, name);
        return;
    }
    buf_add_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            buf_add_char(out, '"');
        buf_add_char(out, name.at[i]);
    }
    buf_add_char(out, '"');
}

/* "schema.name" with nothing in it to be quoted: right into the arena. */
static struct str plain_text(struct arena *a, struct str schema, struct str name)
{
    size_t dot = schema.len ? schema.len + 1 : 0;
    char *text = arena_alloc(a, dot + name.len + 1);
    if (dot) {
        memcpy(text, schema.at, schema.len);
        text[schema.len] = '.';
    }
    memcpy(text + dot, name.at, name.len);
    return (struct str){text, dot + name.len};
}

struct str catalog_identifier(struct arena *a, struct str name)
{
    return catalog_name_text(a, (struct str){0}, name);
}

struct str catalog_name_text(struct arena *a, struct str schema, struct str name)
{
    if ((!schema.len || is_plain(schema)) && is_plain(name))
        return plain_text(a, schema, name);
    SCOPED(buf) struct buf out = {0};
    if (schema.len) {
        add_identifier(&out, schema);
        buf_add_char(&out, '.');
    }
    add_identifier(&out, name);
    return buf_done(a, &out);
}

struct str catalog_relation_text(struct arena *a, const struct catalog_relation *r)
{
    return catalog_name_text(a, r->schema, r->name);
}

const char *relation_kind_name(enum relation_kind k)
{
    switch (k) {
    case RELATION_UNKNOWN:
        break;
    case RELATION_TABLE:
        return "table";
    case RELATION_PARTITIONED_TABLE:
        return "partitioned table";
    case RELATION_INDEX:
        return "index";
    case RELATION_PARTITIONED_INDEX:
        return "partitioned index";
    case RELATION_SEQUENCE:
        return "sequence";
    case RELATION_VIEW:
        return "view";
    case RELATION_MATERIALIZED_VIEW:
        return "materialized view";
    case RELATION_FOREIGN_TABLE:
        return "foreign table";
    case RELATION_COMPOSITE_TYPE:
        return "composite type";
    }
    return "relation";
}
