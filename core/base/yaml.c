/*
 * A tree from libyaml's events. The events are taken one by one, with the open lists and maps on a
 * stack of fixed depth, so that no text can make us recurse. Everything that makes YAML surprising
 * (anchors, aliases, merge keys, tags, several documents, keys that are no texts, keys given twice)
 * is refused where it stands: a settings file has no use for it, and a value that came from
 * elsewhere in the file could not be reported with its place.
 */
#include "core/base/yaml.h"

#include "core/base/libraries.h"
#include "core/base/text.h"

#include <yaml.h>

#ifndef YAML_BUILD_VERSION /* libyaml has no version macro: the Makefile asks pkg-config */
#define YAML_BUILD_VERSION "unknown"
#endif

/* A list or map that is open. */
struct frame {
    struct yaml *node;
    struct yaml **tail;   /* where its next child is hung */
    struct yaml *pending; /* a map: the member whose key was read and whose value follows */
    size_t count;
};

struct reader {
    struct arena *arena;
    struct str text;
    struct str name;
    struct fail *fail;
    struct yaml *root;
    size_t documents;
    size_t depth;
    struct frame frames[YAML_MAX_DEPTH];
};

/* Length of the line end at the front of s, or 0: what libyaml counts as one (parser: IS_BREAK). */
static size_t line_end_len(struct str s)
{
    static const struct str ends[] = {{"\r\n", 2},         {"\n", 1},
                                      {"\r", 1},           {"\xC2\x85", 2}, /* NEL */
                                      {"\xE2\x80\xA8", 3},                  /* LS */
                                      {"\xE2\x80\xA9", 3}};                 /* PS */
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        if (str_starts(s, ends[i]))
            return ends[i].len;
    }
    return 0;
}

struct str yaml_line(struct str text, uint32_t line)
{
    uint32_t at_line = 1;
    size_t from = 0;
    for (size_t i = 0; i < text.len;) {
        size_t len = line_end_len(str_skip(text, i));
        if (len == 0) {
            i++;
        } else if (at_line == line) {
            return (struct str){text.at + from, i - from};
        } else {
            at_line++;
            i += len;
            from = i;
        }
    }
    return at_line == line ? str_skip(text, from) : (struct str){0};
}

static bool fail_place(struct reader *r, yaml_mark_t mark)
{
    uint32_t line = (uint32_t)mark.line + 1;
    return fail_at(r->fail, r->name, line, (uint32_t)mark.column + 1, yaml_line(r->text, line));
}

static bool refuse(struct reader *r, yaml_mark_t mark, const char *message, const char *hint)
{
    fail_set(r->fail, EXIT_USAGE, "%s", message);
    fail_place(r, mark);
    return fail_hint(r->fail, "%s", hint);
}

/* A node for the value that comes now: the pending member of a map, a new child of a list, the
 * root. */
static struct yaml *value_node(struct reader *r, yaml_mark_t mark)
{
    struct frame *top = r->depth ? &r->frames[r->depth - 1] : NULL;
    struct yaml *node;
    if (top && top->pending) {
        node = top->pending;
        top->pending = NULL;
    } else {
        node = arena_new(r->arena, struct yaml);
        if (top) {
            *top->tail = node;
            top->tail = &node->next;
            top->count++;
        } else {
            r->root = node;
        }
    }
    node->line = (uint32_t)mark.line + 1;
    node->column = (uint32_t)mark.column + 1;
    return node;
}

static bool awaits_key(const struct reader *r)
{
    const struct frame *top = r->depth ? &r->frames[r->depth - 1] : NULL;
    return top && top->node->type == YAML_MAP && !top->pending;
}

static bool read_key(struct reader *r, const yaml_event_t *e, struct str text)
{
    bool is_plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (is_plain && str_equal(text, STR("<<")))
        return refuse(r, e->start_mark, "merge keys are not supported",
                      "Write the keys out where they are needed.");
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ')
            return refuse(r, e->start_mark, "a key must be one line without control characters",
                          "Remove the escapes from the key.");
    }
    struct frame *top = &r->frames[r->depth - 1];
    struct yaml *member = arena_new(r->arena, struct yaml);
    member->key = text;
    member->key_line = (uint32_t)e->start_mark.line + 1;
    member->key_column = (uint32_t)e->start_mark.column + 1;
    *top->tail = member;
    top->tail = &member->next;
    top->pending = member;
    top->count++;
    return true;
}

static bool refuse_decorated(struct reader *r, const yaml_event_t *e, const yaml_char_t *anchor,
                             const yaml_char_t *tag)
{
    if (anchor)
        return refuse(r, e->start_mark, "anchors are not supported",
                      "Remove the &name and write the value out where it is needed.");
    if (tag)
        return refuse(r, e->start_mark, "tags are not supported",
                      "Remove the !tag; put a value in quotes to make it a text.");
    return true;
}

static bool on_scalar(struct reader *r, const yaml_event_t *e)
{
    if (!refuse_decorated(r, e, e->data.scalar.anchor, e->data.scalar.tag))
        return false;
    struct str written = {(const char *)e->data.scalar.value, e->data.scalar.length};
    if (str_find_char(written, '\0') != SIZE_MAX)
        return refuse(r, e->start_mark, "a text cannot hold a NUL character", "Remove the \\0.");
    struct str text = {arena_cstr(r->arena, written), written.len};
    if (awaits_key(r))
        return read_key(r, e, text);
    struct yaml *node = value_node(r, e->start_mark);
    node->is_quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = text;
    bool is_root = r->depth == 0;
    node->type = is_root && text.len == 0 && !node->is_quoted ? YAML_NOTHING : YAML_SCALAR;
    return true;
}

static bool on_start(struct reader *r, const yaml_event_t *e, enum yaml_type type)
{
    bool is_map = type == YAML_MAP;
    if (!refuse_decorated(r, e,
                          is_map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor,
                          is_map ? e->data.mapping_start.tag : e->data.sequence_start.tag))
        return false;
    if (awaits_key(r))
        return refuse(r, e->start_mark, "a key must be a text, not a list or a map",
                      "Write `key: value`; put values that begin with [ or { in quotes.");
    if (r->depth == YAML_MAX_DEPTH) {
        fail_set(r->fail, EXIT_USAGE, "lists and maps are nested more than %d deep",
                 YAML_MAX_DEPTH);
        fail_place(r, e->start_mark);
        return fail_hint(r->fail, "Remove some of the brackets or of the indentation.");
    }
    struct yaml *node = value_node(r, e->start_mark);
    node->type = type;
    r->frames[r->depth++] = (struct frame){.node = node, .tail = &node->children};
    return true;
}

static int compare_members(const void *left, const void *right)
{
    const struct yaml *a = *(const struct yaml *const *)left;
    const struct yaml *b = *(const struct yaml *const *)right;
    int order = str_compare(a->key, b->key);
    if (order != 0)
        return order;
    if (a->key_line != b->key_line)
        return a->key_line < b->key_line ? -1 : 1;
    return (a->key_column > b->key_column) - (a->key_column < b->key_column);
}

/* Sorted rather than compared each with each: a file may hold a hundred thousand keys. */
static bool refuse_duplicates(struct reader *r, const struct frame *map)
{
    if (map->count < 2)
        return true;
    const struct yaml **members = arena_array(r->arena, const struct yaml *, map->count);
    size_t count = 0;
    for (const struct yaml *m = map->node->children; m; m = m->next)
        members[count++] = m;
    qsort(members, count, sizeof(*members), compare_members);
    for (size_t i = 1; i < count; i++) {
        const struct yaml *twice = members[i];
        if (!str_equal(members[i - 1]->key, twice->key))
            continue;
        fail_set(r->fail, EXIT_USAGE, "key \"%.*s\" is given twice", STR_ARG(twice->key));
        fail_place(r, (yaml_mark_t){.line = twice->key_line - 1, .column = twice->key_column - 1});
        return fail_hint(r->fail, "It is already given in line %u; keep one of the two.",
                         members[i - 1]->key_line);
    }
    return true;
}

static bool on_end(struct reader *r)
{
    const struct frame *top = &r->frames[--r->depth];
    return top->node->type != YAML_MAP || refuse_duplicates(r, top);
}

static bool on_event(struct reader *r, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    case YAML_DOCUMENT_START_EVENT:
        if (r->documents++ == 0)
            return true;
        return refuse(r, e->start_mark, "there is more than one document in the file",
                      "Keep one, and remove the line --- between them.");
    case YAML_ALIAS_EVENT:
        return refuse(r, e->start_mark, "aliases are not supported",
                      "Write the value out; put a text that begins with * in quotes.");
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(r, e, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return on_start(r, e, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(r);
    }
    BUG("an event that libyaml does not have");
}

static bool has_tab_in_front(struct str line)
{
    struct str front = line;
    front.len -= str_trim(line).len;
    return str_find_char((struct str){line.at, front.len}, '\t') != SIZE_MAX;
}

/* libyaml found no YAML. Reader errors (characters that YAML does not allow) come with a byte
   offset, all others with a mark. */
static bool fail_syntax(struct reader *r, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        fputs("migrate: out of memory\n", stderr);
        exit(EXIT_FAILED);
    }
    fail_set(r->fail, EXIT_USAGE, "invalid YAML: %s",
             parser->problem ? parser->problem : "not understood");
    struct str line;
    if (parser->error == YAML_READER_ERROR) {
        struct text_place place = text_place_of(r->text, parser->problem_offset);
        line = place.line_text;
        fail_at(r->fail, r->name, place.line, place.column, line);
    } else {
        line = yaml_line(r->text, (uint32_t)parser->problem_mark.line + 1);
        fail_place(r, parser->problem_mark);
    }
    if (parser->context)
        fail_detail(r->fail, "This happened %s that begins in line %zu.", parser->context,
                    parser->context_mark.line + 1);
    if (has_tab_in_front(line))
        return fail_hint(r->fail, "Indent with spaces: YAML does not allow tabs there.");
    return fail_hint(r->fail, "Check the indentation, and put a value that holds \": \", \" #\" or "
                              "begins with one of @`%%&*!|>[]{}\" in quotes.");
}

static bool check_text(struct reader *r)
{
    if (r->text.len > YAML_MAX_BYTES) {
        fail_set(r->fail, EXIT_USAGE, "the file has %zu bytes, more than the %zu that are read",
                 r->text.len, YAML_MAX_BYTES);
        fail_at(r->fail, r->name, 0, 0, (struct str){0});
        return fail_hint(r->fail, "Check that this is the file you mean.");
    }
    size_t valid_len;
    size_t at = text_find_invalid(r->text, true, &valid_len);
    if (at == SIZE_MAX)
        return true;
    /* The line cannot be shown: it is not text. */
    struct text_place place = text_place_of(r->text, at);
    fail_set(r->fail, EXIT_USAGE, "%s",
             r->text.at[at] ? "the file is not valid UTF-8" : "the file holds a NUL byte");
    fail_at(r->fail, r->name, place.line, place.column, (struct str){0});
    return fail_hint(r->fail, "Save the file as UTF-8 text.");
}

static bool read_events(struct reader *r, yaml_parser_t *parser)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return fail_syntax(r, parser);
        bool is_end = event.type == YAML_STREAM_END_EVENT;
        bool is_done = on_event(r, &event);
        yaml_event_delete(&event);
        if (!is_done)
            return false;
        if (is_end)
            return true;
    }
}

struct yaml *yaml_parse(struct arena *a, struct str text, struct str name, struct fail *f)
{
    struct reader r = {.arena = a, .text = text, .name = name, .fail = f};
    if (!check_text(&r))
        return NULL;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        fputs("migrate: out of memory\n", stderr);
        exit(EXIT_FAILED);
    }
    /* With the encoding given, libyaml takes a BOM for a character of the text. */
    if (str_starts(r.text, STR("\xEF\xBB\xBF")))
        r.text = str_skip(r.text, 3);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    const unsigned char *input = (const unsigned char *)(r.text.at ? r.text.at : "");
    yaml_parser_set_input_string(&parser, input, r.text.len);
    bool is_done = read_events(&r, &parser);
    yaml_parser_delete(&parser);
    if (!is_done)
        return NULL;
    if (!r.root) {
        r.root = arena_new(a, struct yaml);
        r.root->line = r.root->column = 1;
    }
    return r.root;
}

const struct yaml *yaml_get(const struct yaml *map, struct str key)
{
    if (!map || map->type != YAML_MAP)
        return NULL;
    for (const struct yaml *m = map->children; m; m = m->next) {
        if (str_equal(m->key, key))
            return m;
    }
    return NULL;
}

const char *yaml_library_version(bool is_runtime)
{
    return is_runtime ? yaml_get_version_string() : YAML_BUILD_VERSION;
}
