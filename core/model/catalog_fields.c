/* The tables; the order is that of the snapshot file. */
#include "core/model/catalog_fields.h"

#define FIELDS(name, ...)                                                                          \
    static const struct catalog_field name##_rows[] = {__VA_ARGS__};                               \
    const struct catalog_fields catalog_fields_##name = {name##_rows, ARRAY_LEN(name##_rows)}

static const char *const persistence_words[] = {"p", "u", "t", NULL};
static const char *const row_words[] = {"unknown", "none", "none-written", "some", NULL};

#define IN(field) (uint16_t) offsetof(struct catalog_relation, field)
FIELDS(relation, {"schema", FIELD_STR, IN(schema), 0, NULL}, {"name", FIELD_STR, IN(name), 0, NULL},
       {"kind", FIELD_LETTER, IN(kind), 0, NULL},
       {"persistence", FIELD_WORD, IN(persistence), 0, persistence_words},
       {"owner", FIELD_STR, IN(owner), 0, NULL}, {"tablespace", FIELD_STR, IN(tablespace), 0, NULL},
       {"access_method", FIELD_STR, IN(access_method), 0, NULL},
       {"server", FIELD_STR, IN(server), 0, NULL},
       {"partition_strategy", FIELD_CHAR, IN(partition_strategy), 0, NULL},
       {"is_partition", FIELD_BOOL, IN(is_partition), 0, NULL},
       {"bound_is_default", FIELD_BOOL, IN(bound.is_default), 0, NULL},
       {"is_detach_pending", FIELD_BOOL, IN(is_detach_pending), 0, NULL},
       {"has_row_security", FIELD_BOOL, IN(has_row_security), 0, NULL},
       {"is_row_security_forced", FIELD_BOOL, IN(is_row_security_forced), 0, NULL},
       {"replica_identity", FIELD_CHAR, IN(replica_identity), 'd', NULL},
       {"is_populated", FIELD_BOOL, IN(is_populated), 1, NULL},
       {"of_type", FIELD_USER_TYPE, IN(of_type), 0, NULL},
       {"query", FIELD_EXPRESSION, IN(query), 0, NULL},
       {"extension", FIELD_STR, IN(extension), 0, NULL},
       {"rows", FIELD_WORD, IN(rows), 0, row_words},
       {"row_estimate", FIELD_F64, IN(row_estimate), -1, NULL},
       {"size_bytes", FIELD_I64, IN(size_bytes), -1, NULL},
       {"seq_scans", FIELD_I64, IN(seq_scans), -1, NULL},
       {"index_scans", FIELD_I64, IN(index_scans), -1, NULL},
       {"writes", FIELD_I64, IN(writes), -1, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_column, field)
FIELDS(column, {"name", FIELD_STR, IN(name), 0, NULL}, {"type", FIELD_TYPE, IN(type), 0, NULL},
       {"collation", FIELD_STR, IN(collation), 0, NULL},
       {"is_not_null", FIELD_BOOL, IN(is_not_null), 0, NULL},
       {"identity", FIELD_CHAR, IN(identity), 0, NULL},
       {"generated", FIELD_CHAR, IN(generated), 0, NULL},
       {"default_value", FIELD_EXPRESSION, IN(default_value), 0, NULL},
       {"sequence", FIELD_RELATION, IN(sequence), 0, NULL},
       {"is_inherited", FIELD_BOOL, IN(is_inherited), 0, NULL},
       {"is_local", FIELD_BOOL, IN(is_local), 1, NULL},
       {"has_missing_value", FIELD_BOOL, IN(has_missing_value), 0, NULL},
       {"rights", FIELD_STR, IN(rights), 0, NULL},
       {"null_fraction", FIELD_F64, IN(null_fraction), -1, NULL},
       {"distinct", FIELD_F64, IN(distinct), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_index, field)
FIELDS(index, {"table", FIELD_RELATION, IN(table), 0, NULL},
       {"method", FIELD_STR, IN(method), 0, NULL},
       {"predicate", FIELD_EXPRESSION, IN(predicate), 0, NULL},
       {"parent", FIELD_RELATION, IN(parent), 0, NULL},
       {"is_unique", FIELD_BOOL, IN(is_unique), 0, NULL},
       {"is_primary", FIELD_BOOL, IN(is_primary), 0, NULL},
       {"is_exclusion", FIELD_BOOL, IN(is_exclusion), 0, NULL},
       {"is_valid", FIELD_BOOL, IN(is_valid), 1, NULL},
       {"is_nulls_not_distinct", FIELD_BOOL, IN(is_nulls_not_distinct), 0, NULL},
       {"is_clustered", FIELD_BOOL, IN(is_clustered), 0, NULL},
       {"is_replica_identity", FIELD_BOOL, IN(is_replica_identity), 0, NULL},
       {"definition", FIELD_STR, IN(definition), 0, NULL},
       {"scans", FIELD_I64, IN(scans), -1, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct index_key, field)
FIELDS(index_key, {"expression", FIELD_EXPRESSION, IN(expression), 0, NULL},
       {"opclass", FIELD_STR, IN(opclass), 0, NULL},
       {"collation", FIELD_STR, IN(collation), 0, NULL},
       {"is_included", FIELD_BOOL, IN(is_included), 0, NULL},
       {"is_descending", FIELD_BOOL, IN(is_descending), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_sequence, field)
FIELDS(sequence, {"type", FIELD_TYPE, IN(type), 0, NULL},
       {"owner_table", FIELD_RELATION, IN(owner_table), 0, NULL},
       {"is_identity", FIELD_BOOL, IN(is_identity), 0, NULL},
       {"last_value", FIELD_I64, IN(last_value), -1, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_constraint, field)
FIELDS(constraint, {"name", FIELD_STR, IN(name), 0, NULL},
       {"kind", FIELD_LETTER, IN(kind), 0, NULL}, {"check", FIELD_EXPRESSION, IN(check), 0, NULL},
       {"index", FIELD_RELATION, IN(index), 0, NULL},
       {"referenced", FIELD_RELATION, IN(referenced), 0, NULL},
       {"on_delete", FIELD_CHAR, IN(on_delete), 'a', NULL},
       {"on_update", FIELD_CHAR, IN(on_update), 'a', NULL},
       {"is_valid", FIELD_BOOL, IN(is_valid), 1, NULL},
       {"is_enforced", FIELD_BOOL, IN(is_enforced), 1, NULL},
       {"is_deferrable", FIELD_BOOL, IN(is_deferrable), 0, NULL},
       {"is_deferred", FIELD_BOOL, IN(is_deferred), 0, NULL},
       {"is_no_inherit", FIELD_BOOL, IN(is_no_inherit), 0, NULL},
       {"is_local", FIELD_BOOL, IN(is_local), 1, NULL},
       {"is_inherited", FIELD_BOOL, IN(is_inherited), 0, NULL},
       {"is_period", FIELD_BOOL, IN(is_period), 0, NULL},
       {"definition", FIELD_STR, IN(definition), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_trigger, field)
FIELDS(trigger, {"name", FIELD_STR, IN(name), 0, NULL},
       {"function", FIELD_FUNCTION, IN(function), 0, NULL},
       {"from", FIELD_RELATION, IN(from), 0, NULL},
       {"update_count", FIELD_SIZE, IN(update_count), 0, NULL},
       {"is_constraint", FIELD_BOOL, IN(is_constraint), 0, NULL},
       {"is_row", FIELD_BOOL, IN(is_row), 0, NULL}, {"type", FIELD_U32, IN(type), 0, NULL},
       {"enabled", FIELD_CHAR, IN(enabled), 'O', NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_rule, field)
FIELDS(rule, {"name", FIELD_STR, IN(name), 0, NULL},
       {"is_policy", FIELD_BOOL, IN(is_policy), 0, NULL},
       {"is_permissive", FIELD_BOOL, IN(is_permissive), 0, NULL},
       {"using_expression", FIELD_EXPRESSION, IN(using_expression), 0, NULL},
       {"check", FIELD_EXPRESSION, IN(check), 0, NULL},
       {"definition", FIELD_EXPRESSION, IN(definition), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_type, field)
FIELDS(type, {"schema", FIELD_STR, IN(schema), 0, NULL}, {"name", FIELD_STR, IN(name), 0, NULL},
       {"kind", FIELD_LETTER, IN(kind), 0, NULL}, {"base", FIELD_TYPE, IN(base), 0, NULL},
       {"default_value", FIELD_EXPRESSION, IN(default_value), 0, NULL},
       {"extension", FIELD_STR, IN(extension), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct domain_constraint, field)
FIELDS(domain_constraint, {"name", FIELD_STR, IN(name), 0, NULL},
       {"check", FIELD_EXPRESSION, IN(check), 0, NULL},
       {"is_not_null", FIELD_BOOL, IN(is_not_null), 0, NULL},
       {"is_valid", FIELD_BOOL, IN(is_valid), 1, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_function, field)
FIELDS(function, {"schema", FIELD_STR, IN(schema), 0, NULL}, {"name", FIELD_STR, IN(name), 0, NULL},
       {"result", FIELD_TYPE, IN(result), 0, NULL}, {"language", FIELD_STR, IN(language), 0, NULL},
       {"body", FIELD_STR, IN(body), 0, NULL},
       {"volatility", FIELD_CHAR, IN(volatility), 'v', NULL},
       {"is_procedure", FIELD_BOOL, IN(is_procedure), 0, NULL},
       {"is_aggregate", FIELD_BOOL, IN(is_aggregate), 0, NULL},
       {"is_strict", FIELD_BOOL, IN(is_strict), 0, NULL},
       {"is_security_definer", FIELD_BOOL, IN(is_security_definer), 0, NULL},
       {"has_settings", FIELD_BOOL, IN(has_settings), 0, NULL},
       {"returns_set", FIELD_BOOL, IN(returns_set), 0, NULL},
       {"default_count", FIELD_SIZE, IN(default_count), 0, NULL},
       {"extension", FIELD_STR, IN(extension), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_statistics, field)
FIELDS(statistics, {"schema", FIELD_STR, IN(schema), 0, NULL},
       {"name", FIELD_STR, IN(name), 0, NULL}, {"relation", FIELD_RELATION, IN(relation), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_publication, field)
FIELDS(publication, {"name", FIELD_STR, IN(name), 0, NULL},
       {"is_for_all_tables", FIELD_BOOL, IN(is_for_all_tables), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_object, field)
FIELDS(object, {"name", FIELD_STR, IN(name), 0, NULL}, {"schema", FIELD_STR, IN(schema), 0, NULL},
       {"extension", FIELD_STR, IN(extension), 0, NULL},
       {"parent", FIELD_STR, IN(parent), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_query, field)
FIELDS(query, {"text", FIELD_STR, IN(text), 0, NULL}, {"calls", FIELD_I64, IN(calls), 0, NULL},
       {"mean_ms", FIELD_F64, IN(mean_ms), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog_setting, field)
FIELDS(setting, {"name", FIELD_STR, IN(name), 0, NULL}, {"value", FIELD_STR, IN(value), 0, NULL});
#undef IN

#define IN(field) (uint16_t) offsetof(struct catalog, field)
FIELDS(catalog, {"server_version", FIELD_U32, IN(server_version), 0, NULL},
       {"database", FIELD_STR, IN(database), 0, NULL},
       {"taken_at", FIELD_STR, IN(taken_at), 0, NULL},
       {"is_complete", FIELD_BOOL, IN(is_complete), 0, NULL});
#undef IN

/* ---- from a text ---- */

static bool set_word(const struct catalog_field *field, void *at, struct str text)
{
    for (unsigned i = 0; field->words[i]; i++) {
        if (str_equal(text, str_of(field->words[i]))) {
            *(unsigned *)at = i;
            return true;
        }
    }
    return false;
}

static bool set_number(const struct catalog_field *field, void *at, struct str text)
{
    int64_t number;
    if (!str_to_i64(text, &number))
        return false;
    bool is_small = number >= 0 && number <= UINT32_MAX;
    if (field->kind == FIELD_I64)
        *(int64_t *)at = number;
    else if (field->kind == FIELD_U32 && is_small)
        *(uint32_t *)at = (uint32_t)number;
    else if (field->kind == FIELD_SIZE && is_small)
        *(size_t *)at = (size_t)number;
    else
        return false;
    return true;
}

static bool set_letter(const struct catalog_field *field, void *at, struct str text)
{
    bool is_letter = text.len <= 1 && (!text.len || (unsigned char)text.at[0] < 0x80);
    char letter = is_letter && text.len ? text.at[0] : 0;
    if (field->kind == FIELD_CHAR)
        *(char *)at = letter;
    else
        *(unsigned *)at = (unsigned char)letter;
    return is_letter;
}

static bool set_f64(struct arena *a, void *at, struct str text)
{
    char *end;
    char *copy = arena_cstr(a, text);
    double number = strtod(copy, &end);
    if (!text.len || *end)
        return false;
    *(double *)at = number;
    return true;
}

bool catalog_field_set(struct arena *a, const struct catalog_field *field, void *object,
                       struct str text)
{
    void *at = (char *)object + field->at;
    switch (field->kind) {
    case FIELD_STR:
        *(struct str *)at = arena_str(a, text);
        return true;
    case FIELD_EXPRESSION:
        ((struct catalog_expression *)at)->text = arena_str(a, text);
        return true;
    case FIELD_BOOL:
        *(bool *)at = str_equal(text, STR("t"));
        return *(bool *)at || str_equal(text, STR("f"));
    case FIELD_CHAR:
    case FIELD_LETTER:
        return set_letter(field, at, text);
    case FIELD_WORD:
        return set_word(field, at, text);
    case FIELD_I64:
    case FIELD_U32:
    case FIELD_SIZE:
        return set_number(field, at, text);
    case FIELD_F64:
        return set_f64(a, at, text);
    case FIELD_TYPE:
    case FIELD_RELATION:
    case FIELD_USER_TYPE:
    case FIELD_FUNCTION:
        break;
    }
    return false;
}
