/* Bob Jenkins' lookup3, as hashfn.c has it, seeded as partitions are. */
#include "planner/postgres/partition_hash.h"

#define SEED UINT64_C(0x7A5B22367996DCFD) /* HASH_PARTITION_SEED */

struct state {
    uint32_t a, b, c;
};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return (x << by) | (x >> (32U - by));
}

static void mix(struct state *s)
{
    s->a = (s->a - s->c) ^ rotate(s->c, 4);
    s->c += s->b;
    s->b = (s->b - s->a) ^ rotate(s->a, 6);
    s->a += s->c;
    s->c = (s->c - s->b) ^ rotate(s->b, 8);
    s->b += s->a;
    s->a = (s->a - s->c) ^ rotate(s->c, 16);
    s->c += s->b;
    s->b = (s->b - s->a) ^ rotate(s->a, 19);
    s->a += s->c;
    s->c = (s->c - s->b) ^ rotate(s->b, 4);
    s->b += s->a;
}

static uint64_t finish(struct state *s)
{
    s->c = (s->c ^ s->b) - rotate(s->b, 14);
    s->a = (s->a ^ s->c) - rotate(s->c, 11);
    s->b = (s->b ^ s->a) - rotate(s->a, 25);
    s->c = (s->c ^ s->b) - rotate(s->b, 16);
    s->a = (s->a ^ s->c) - rotate(s->c, 4);
    s->b = (s->b ^ s->a) - rotate(s->a, 14);
    s->c = (s->c ^ s->b) - rotate(s->b, 24);
    return ((uint64_t)s->b << 32) | s->c;
}

static struct state begin(size_t len)
{
    uint32_t n = UINT32_C(0x9e3779b9) + (uint32_t)len + 3923095U;
    struct state s = {n, n, n};
    s.a += (uint32_t)(SEED >> 32);
    s.b += (uint32_t)SEED;
    mix(&s);
    return s;
}

static uint64_t hash_number(uint32_t k)
{
    struct state s = begin(sizeof(k));
    s.a += k;
    return finish(&s);
}

/* Up to four bytes, the first one lowest. */
static uint32_t word(const unsigned char *at, size_t len)
{
    uint32_t out = 0;
    for (size_t i = 0; i < len && i < 4; i++)
        out |= (uint32_t)at[i] << (8 * i);
    return out;
}

static uint64_t hash_bytes(const unsigned char *at, size_t len)
{
    struct state s = begin(len);
    for (; len >= 12; at += 12, len -= 12) {
        s.a += word(at, 4);
        s.b += word(at + 4, 4);
        s.c += word(at + 8, 4);
        mix(&s);
    }
    s.a += word(at, len);
    if (len > 4)
        s.b += word(at + 4, len - 4);
    if (len > 8)
        s.c += word(at + 8, len - 8) << 8; /* the lowest byte is the length's */
    return finish(&s);
}

static uint64_t hash_int8(int64_t n)
{
    uint32_t low = (uint32_t)n;
    uint32_t high = (uint32_t)((uint64_t)n >> 32);
    return hash_number(low ^ (n >= 0 ? high : ~high));
}

static bool hash_uuid(struct str text, uint64_t *out)
{
    unsigned char bytes[16] = {0};
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = char_lower(text.at[i]);
        if (c == '-' || c == '{' || c == '}')
            continue;
        bool is_letter = c >= 'a' && c <= 'f';
        if ((!char_is_digit(c) && !is_letter) || digits == 2 * sizeof(bytes))
            return false;
        unsigned value = is_letter ? (unsigned)(c - 'a') + 10U : (unsigned)(c - '0');
        bytes[digits / 2] = (unsigned char)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    *out = hash_bytes(bytes, sizeof(bytes));
    return digits == 2 * sizeof(bytes);
}

static bool hash_value(const struct value *v, const struct type_ref *type, uint64_t *out)
{
    struct str name = type->builtin;
    if (type->is_array || type->user)
        return false;
    if (v->kind == VALUE_NUMBER) {
        bool is_small = str_equal(name, STR("int4")) || str_equal(name, STR("int2"));
        *out = is_small ? hash_number((uint32_t)v->number) : hash_int8(v->number);
        return is_small || str_equal(name, STR("int8"));
    }
    if (v->kind != VALUE_TEXT)
        return false;
    if (str_equal(name, STR("uuid")))
        return hash_uuid(v->text, out);
    *out = hash_bytes((const unsigned char *)v->text.at, v->text.len);
    return str_equal(name, STR("text")) || str_equal(name, STR("varchar"));
}

bool partition_hash_add(uint64_t *hash, const struct value *v, const struct type_ref *type)
{
    uint64_t one;
    if (v->kind == VALUE_NULL)
        return true;
    if (!hash_value(v, type, &one))
        return false;
    *hash ^= one + UINT64_C(0x49a0f4dd15e5a8e3) + (*hash << 54) + (*hash >> 7);
    return true;
}
