/*
 * JSON by jansson. struct json is never defined: a pointer to one is a pointer to a json_t, so that
 * no other file needs jansson.h. Text that comes from databases and files need not be UTF-8;
 * jansson refuses such text, so it is repaired here before it is handed over.
 */
#include "core/base/json.h"

#include "core/base/libraries.h"
#include "core/base/text.h"

#include <jansson.h>

/* jansson has macros of these names. */
#undef json_is_array
#undef json_is_object

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD in UTF-8 */

static json_t *of(struct json *j)
{
    return (json_t *)j;
}

static const json_t *of_const(const struct json *j)
{
    return (const json_t *)j;
}

/* jansson answers NULL only when memory is out, as all else was checked before. */
static struct json *made(json_t *value)
{
    if (!value) {
        fputs("migrate: out of memory\n", stderr);
        exit(EXIT_FAILED);
    }
    return (struct json *)value;
}

struct json *json_make_object(void)
{
    return made(json_object());
}

struct json *json_make_array(void)
{
    return made(json_array());
}

void json_release(struct json *j)
{
    json_decref(of(j));
}

/* Bytes to drop at the front of s, which begins with an invalid one: that byte and the continuation
   bytes behind it, so that one broken character becomes one U+FFFD. */
static size_t broken_len(struct str s)
{
    size_t len = 1;
    while (len < s.len && len < 4 && ((unsigned char)s.at[len] & 0xC0) == 0x80)
        len++;
    return len;
}

static void add_repaired(struct buf *out, struct str s)
{
    while (s.len) {
        size_t valid_len;
        if (text_find_invalid(s, true, &valid_len) == SIZE_MAX) {
            buf_add_str(out, s);
            return;
        }
        buf_add(out, s.at, valid_len);
        buf_add_cstr(out, REPLACEMENT);
        s = str_skip(s, valid_len);
        s = str_skip(s, broken_len(s));
    }
}

static struct json *make_text(struct str value)
{
    size_t valid_len;
    if (text_find_invalid(value, true, &valid_len) == SIZE_MAX)
        return made(json_stringn_nocheck(value.at ? value.at : "", value.len));
    SCOPED(buf) struct buf repaired = {0};
    add_repaired(&repaired, value);
    return made(json_stringn_nocheck(buf_cstr(&repaired), repaired.len));
}

void json_set(struct json *object, const char *key, struct json *value)
{
    assert(json_is_object(object) && value && value != object);
    size_t valid_len;
    if (text_find_invalid(str_of(key), true, &valid_len) == SIZE_MAX) {
        if (json_object_set_new_nocheck(of(object), key, of(value)) != 0)
            BUG("a JSON value that cannot be set");
        return;
    }
    SCOPED(buf) struct buf repaired = {0};
    add_repaired(&repaired, str_of(key));
    if (json_object_set_new_nocheck(of(object), buf_cstr(&repaired), of(value)) != 0)
        BUG("a JSON value that cannot be set");
}

void json_set_str(struct json *object, const char *key, struct str value)
{
    json_set(object, key, make_text(value));
}

void json_set_cstr(struct json *object, const char *key, const char *value)
{
    if (value)
        json_set_str(object, key, str_of(value));
    else
        json_set_null(object, key);
}

void json_set_i64(struct json *object, const char *key, int64_t value)
{
    json_set(object, key, made(json_integer(value)));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    json_set(object, key, made(json_boolean(value)));
}

void json_set_f64(struct json *object, const char *key, double value)
{
    json_t *number = json_real(value); /* refuses what JSON cannot say */
    json_set(object, key, number ? made(number) : made(json_null()));
}

void json_set_null(struct json *object, const char *key)
{
    json_set(object, key, made(json_null()));
}

void json_remove(struct json *object, const char *key)
{
    (void)json_object_del(of(object), key);
}

void json_push(struct json *array, struct json *value)
{
    assert(json_is_array(array) && value && value != array);
    if (json_array_append_new(of(array), of(value)) != 0)
        BUG("a JSON value that cannot be added");
}

void json_push_str(struct json *array, struct str value)
{
    json_push(array, make_text(value));
}

void json_push_i64(struct json *array, int64_t value)
{
    json_push(array, made(json_integer(value)));
}

static int add_to_buf(const char *at, size_t len, void *context)
{
    buf_add(context, at, len);
    return 0;
}

void json_print(struct buf *out, const struct json *j, bool is_pretty)
{
    size_t flags = JSON_ENCODE_ANY | (is_pretty ? JSON_INDENT(2) : JSON_COMPACT);
    if (json_dump_callback(of_const(j), add_to_buf, out, flags) != 0)
        BUG("a JSON value that cannot be printed");
}

struct str json_line(struct arena *a, const struct json *j)
{
    SCOPED(buf) struct buf text = {0};
    json_print(&text, j, false);
    return buf_done(a, &text);
}

/* jansson quotes what it stopped at, which may hold a line end. */
static const char *one_line(struct arena *a, const char *text)
{
    char *line = arena_cstr(a, str_of(text));
    for (char *p = line; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = ' ';
    }
    return line;
}

static struct str line_of(struct str text, uint32_t line)
{
    struct str found = {0};
    for (uint32_t n = 0; n < line && text.len; n++)
        text = str_cut_line(text, &found);
    return found;
}

struct json *json_parse(struct str text, struct str name, struct fail *f)
{
    json_error_t error;
    json_t *value = json_loadb(text.at ? text.at : "", text.len,
                               JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value)
        return made(value);
    SCOPED(arena) struct arena *a = arena_make();
    uint32_t line = error.line > 0 ? (uint32_t)error.line : 1;
    uint32_t column = error.column > 0 ? (uint32_t)error.column : 1;
    fail_set(f, EXIT_USAGE, "invalid JSON: %s", one_line(a, error.text));
    fail_at(f, name, line, column, line_of(text, line));
    fail_hint(f, "Make the file again with the command that wrote it, or mend it at this place.");
    return NULL;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return (const struct json *)json_object_get(of_const(object), key);
}

struct str json_str_of(const struct json *j)
{
    const char *at = json_string_value(of_const(j));
    return (struct str){.at = at, .len = at ? json_string_length(of_const(j)) : 0};
}

bool json_i64_of(const struct json *j, int64_t *out)
{
    if (!json_is_integer(of_const(j)))
        return false;
    *out = json_integer_value(of_const(j));
    return true;
}

bool json_bool_of(const struct json *j, bool *out)
{
    if (!json_is_boolean(of_const(j)))
        return false;
    *out = json_is_true(of_const(j));
    return true;
}

bool json_f64_of(const struct json *j, double *out)
{
    if (!json_is_number(of_const(j)))
        return false;
    *out = json_number_value(of_const(j));
    return true;
}

bool json_is_str(const struct json *j)
{
    return json_is_string(of_const(j));
}

bool json_is_array(const struct json *j)
{
    return of_const(j) && json_typeof(of_const(j)) == JSON_ARRAY;
}

bool json_is_object(const struct json *j)
{
    return of_const(j) && json_typeof(of_const(j)) == JSON_OBJECT;
}

size_t json_count(const struct json *array)
{
    return json_array_size(of_const(array));
}

size_t json_member_count(const struct json *object)
{
    return json_object_size(of_const(object));
}

const struct json *json_at(const struct json *array, size_t index)
{
    return (const struct json *)json_array_get(of_const(array), index);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as jansson reads, 2048 */
bool json_visit_texts(struct json *j, const char *key,
                      bool (*visit)(void *context, struct str text), void *context)
{
    json_t *value = of(j);
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (json_visit_texts(made(json_array_get(value, i)), key, visit, context))
            return true;
    }
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at)) {
        struct json *member = made(json_object_iter_value(at));
        bool is_asked = json_is_str(member) && strcmp(json_object_iter_key(at), key) == 0;
        if ((is_asked && visit(context, json_str_of(member))) ||
            json_visit_texts(member, key, visit, context))
            return true;
    }
    return false;
}

const char *json_library_version(bool is_runtime)
{
    return is_runtime ? jansson_version_str() : JANSSON_VERSION;
}
