/*
 * JSON values, made and read through jansson (this is the only place that knows it). Values are
 * reference-counted by jansson and owned by their parent once added; the root is released by
 * json_release() (SCOPED(json)). Object keys keep their order.
 */
#ifndef CORE_BASE_JSON_H
#define CORE_BASE_JSON_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/fail.h"

struct json; /* stands for jansson's json_t */

struct json *json_make_object(void);
struct json *json_make_array(void);
void json_release(struct json *j);
DEFINE_SCOPED(json, struct json *, json_release)

/* Add to an object; the value is taken over. Invalid UTF-8 is replaced by U+FFFD, never dropped. */
void json_set(struct json *object, const char *key, struct json *value);
void json_set_str(struct json *object, const char *key, struct str value);
void json_set_cstr(struct json *object, const char *key, const char *value); /* NULL gives null */
void json_set_i64(struct json *object, const char *key, int64_t value);
void json_set_bool(struct json *object, const char *key, bool value);
void json_set_f64(struct json *object, const char *key, double value); /* not finite gives null */
void json_set_null(struct json *object, const char *key);
void json_remove(struct json *object, const char *key); /* where it is */
/* Add to an array. */
void json_push(struct json *array, struct json *value);
void json_push_str(struct json *array, struct str value);
void json_push_i64(struct json *array, int64_t value);

/* Text: on one line, or indented for people. Appended to out. */
void json_print(struct buf *out, const struct json *j, bool is_pretty);
struct str json_line(struct arena *a, const struct json *j);

/* Reads text; name is for messages. Fails with line and column (EXIT_USAGE). */
struct json *json_parse(struct str text, struct str name, struct fail *f) MUST_CHECK;
/* Ask. A missing key or another type gives NULL / false / the empty str. */
const struct json *json_get(const struct json *object, const char *key);
struct str json_str_of(const struct json *j); /* valid as long as j */
bool json_i64_of(const struct json *j, int64_t *out) MUST_CHECK;
bool json_bool_of(const struct json *j, bool *out) MUST_CHECK;
bool json_f64_of(const struct json *j, double *out) MUST_CHECK; /* whole numbers too */
bool json_is_str(const struct json *j);
bool json_is_array(const struct json *j);
bool json_is_object(const struct json *j);
size_t json_count(const struct json *array);
size_t json_member_count(const struct json *object);
const struct json *json_at(const struct json *array, size_t index);
/* Calls visit for the text of every member with this key, however deep, until it returns true; whether it
   did. */
bool json_visit_texts(struct json *j, const char *key,
                      bool (*visit)(void *context, struct str text), void *context);

/* Where a value is in the text that json_parse() took: each step of the way from the root is a key, or
   (key NULL) a place in an array. Byte offset of the value; SIZE_MAX where there is none. */
struct json_step {
    const char *key;
    size_t index;
};
size_t json_locate(struct str text, const struct json_step *way, size_t count);

#endif
