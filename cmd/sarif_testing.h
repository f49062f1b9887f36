/*
 * What SARIF 2.1.0 asks of the parts that we write, as assertions: a table of the members with their types
 * (sections 3.13 to 3.38 of the standard), and that no index leads nowhere. A member that is not in the table
 * fails the test: the standard's own schema would refuse it, or we must look it up there.
 */
#ifndef CMD_SARIF_TESTING_H
#define CMD_SARIF_TESTING_H

#include <setjmp.h> /* cmocka.h wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/buf.h"
#include "core/base/json.h"
#include "drivers/testkit/fixture.h"

#include <stdlib.h>

/* kind: 'o' object, 'a' array, 's' text, 'n' whole number from 1, 'i' whole number from 0. */
struct sarif_member {
    const char *of, *name,
        *is; /* of: the object's name here; is: that of the value or its elements */
    char kind;
    bool is_required;
};
static const struct sarif_member sarif_members[] = {
    {"log", "$schema", "", 's', false},
    {"log", "version", "", 's', true},
    {"log", "runs", "run", 'a', true},
    {"run", "tool", "tool", 'o', true},
    {"run", "columnKind", "", 's', false},
    {"run", "results", "result", 'a', false},
    {"tool", "driver", "driver", 'o', true},
    {"driver", "name", "", 's', true},
    {"driver", "semanticVersion", "", 's', false},
    {"driver", "informationUri", "", 's', false},
    {"driver", "rules", "rule", 'a', false},
    {"rule", "id", "", 's', true},
    {"rule", "shortDescription", "text", 'o', false},
    {"rule", "fullDescription", "text", 'o', false},
    {"rule", "help", "text", 'o', false},
    {"rule", "defaultConfiguration", "configuration", 'o', false},
    {"configuration", "level", "", 's', false},
    {"text", "text", "", 's', true},
    {"result", "ruleId", "", 's', false},
    {"result", "ruleIndex", "", 'i', false},
    {"result", "level", "", 's', false},
    {"result", "message", "text", 'o', true},
    {"result", "locations", "location", 'a', false},
    {"result", "partialFingerprints", "prints", 'o', false},
    {"result", "suppressions", "suppression", 'a', false},
    {"location", "physicalLocation", "physical", 'o', false},
    {"physical", "artifactLocation", "artifact", 'o', false},
    {"physical", "region", "region", 'o', false},
    {"artifact", "uri", "", 's', false},
    {"region", "startLine", "", 'n', false},
    {"region", "startColumn", "", 'n', false},
    {"region", "snippet", "text", 'o', false},
    {"prints", "migrateFinding/v1", "", 's', true},
    {"suppression", "kind", "", 's', true},
    {"suppression", "justification", "", 's', false},
};

static const struct {
    const char *of, *name, *values; /* each between blanks */
} sarif_values[] = {
    {"log", "version", " 2.1.0 "},
    {"run", "columnKind", " utf16CodeUnits unicodeCodePoints "},
    {"result", "level", " none note warning error "},
    {"configuration", "level", " none note warning error "},
    {"suppression", "kind", " inSource external "},
};

static inline void sarif_check_value(const struct sarif_member *m, struct str text)
{
    for (size_t i = 0; i < ARRAY_LEN(sarif_values); i++) {
        const char *wanted = fixture_text(" %.*s ", STR_ARG(text));
        if (strcmp(sarif_values[i].of, m->of) == 0 && strcmp(sarif_values[i].name, m->name) == 0 &&
            !strstr(sarif_values[i].values, wanted))
            fail_msg("SARIF: %s.%s is \"%.*s\"", m->of, m->name, STR_ARG(text));
    }
}

static inline void sarif_check_object(const struct json *j, const char *of);

static inline void sarif_check_member(const struct json *value, const struct sarif_member *m)
{
    int64_t number = -1;
    bool is_right = m->kind == 'o'   ? json_is_object(value)
                    : m->kind == 'a' ? json_is_array(value)
                    : m->kind == 's' ? json_is_str(value)
                                     : json_i64_of(value, &number) && number >= (m->kind == 'n');
    if (!is_right)
        fail_msg("SARIF: %s.%s is of another type", m->of, m->name);
    if (m->kind == 's')
        sarif_check_value(m, json_str_of(value));
    if (m->kind == 'o')
        sarif_check_object(value, m->is);
    for (size_t i = 0; m->kind == 'a' && i < json_count(value); i++)
        sarif_check_object(json_at(value, i), m->is);
}

/* Depth is that of the table. */
static inline void sarif_check_object(const struct json *j, const char *of)
{
    size_t known = 0;
    assert_true(json_is_object(j));
    for (size_t i = 0; i < ARRAY_LEN(sarif_members); i++) {
        const struct sarif_member *m = &sarif_members[i];
        if (strcmp(m->of, of) != 0)
            continue;
        const struct json *value = json_get(j, m->name);
        known += value != NULL;
        if (value)
            sarif_check_member(value, m);
        else if (m->is_required)
            fail_msg("SARIF: %s has no %s", of, m->name);
    }
    SCOPED(arena) struct arena *a = arena_make();
    size_t members = json_member_count(j);
    if (members != known)
        fail_msg("SARIF: a member of %s is not in the table: %s", of, json_line(a, j).at);
}

/* Fails the test where the text is no SARIF. Returns how many results there are. */
static inline size_t sarif_check(const char *text)
{
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(json) struct json *log = json_parse(str_of(text), STR("sarif"), &f);
    if (!log)
        fail_msg("SARIF: %s\n%s", f.message, text);
    sarif_check_object(log, "log");
    const struct json *run = json_at(json_get(log, "runs"), 0);
    const struct json *rules = json_get(json_get(json_get(run, "tool"), "driver"), "rules");
    const struct json *results = json_get(run, "results");
    for (size_t i = 0; i < json_count(results); i++) {
        const struct json *one = json_at(results, i);
        int64_t rule = -1;
        assert_true(json_i64_of(json_get(one, "ruleIndex"), &rule));
        assert_true((size_t)rule < json_count(rules));
        struct str id = json_str_of(json_get(json_at(rules, (size_t)rule), "id"));
        assert_true(str_equal(id, json_str_of(json_get(one, "ruleId"))));
    }
    return json_count(results);
}

static inline int sarif_compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The fingerprints of all results, sorted, one a line. For as long as the program lives. */
static inline const char *sarif_fingerprints(const char *text)
{
    enum { MOST = 1000 };
    const char *prints[MOST];
    SCOPED(fail) struct fail f = FAIL_NONE;
    SCOPED(buf) struct buf out = {0};
    SCOPED(json) struct json *log = json_parse(str_of(text), STR("sarif"), &f);
    assert_non_null(log);
    const struct json *results = json_get(json_at(json_get(log, "runs"), 0), "results");
    size_t count = json_count(results);
    assert_true(count < MOST);
    for (size_t i = 0; i < count; i++) {
        const struct json *list = json_get(json_at(results, i), "partialFingerprints");
        struct str print = json_str_of(json_get(list, "migrateFinding/v1"));
        assert_int_equal(print.len, 64);
        prints[i] = fixture_text("%.*s", STR_ARG(print));
    }
    qsort(prints, count, sizeof(prints[0]), sarif_compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (i && strcmp(prints[i], prints[i - 1]) == 0)
            fail_msg("SARIF: two results have the fingerprint %s", prints[i]);
        buf_printf(&out, "%s\n", prints[i]);
    }
    return fixture_text("%s", buf_cstr(&out));
}

#endif
