/*
 * Everything in drivers/source that reads bytes of others from memory: headers with dbmate's and
 * goose's markers, directives, TOML, Java properties, Flyway's names. The first byte chooses. A
 * header must come out the same when its text is cut in two.
 */
#include "core/model/directive.h"
#include "drivers/source/flyway.h"
#include "drivers/source/header.h"
#include "drivers/source/properties.h"
#include "drivers/source/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_range(struct file_range r, size_t len)
{
    if (r.from > len || (r.to != UINT64_MAX && (r.to < r.from || r.to > len)))
        BUG("a range outside of its file");
}

static void fuzz_header(enum layout layout, struct str text)
{
    struct header_rules rules = {.layout = layout, .engine = ENGINE_POSTGRES};
    static struct header_scan s;
    struct header whole;
    struct header cut;
    struct fail f = FAIL_NONE;
    bool is_read = header_read(text, rules, STR("x.sql"), &whole, &f);
    fail_clear(&f);
    size_t half = text.len ? (unsigned char)text.at[0] % text.len : 0;
    header_scan_start(&s, rules, STR("x.sql"));
    bool is_cut_read = header_scan_add(&s, (struct str){.at = text.at, .len = half}, &f) &&
                       header_scan_add(&s, str_skip(text, half), &f) &&
                       header_scan_finish(&s, &cut, &f);
    fail_clear(&f);
    if (is_read != is_cut_read)
        BUG("cutting the text changes whether it is read");
    if (!is_read)
        return;
    check_range(whole.up, text.len);
    if (whole.has_down)
        check_range(whole.down, text.len);
    if (whole.up.from != cut.up.from || whole.up.to != cut.up.to ||
        whole.transaction != cut.transaction || whole.has_placeholder != cut.has_placeholder ||
        whole.lock_timeout_ms != cut.lock_timeout_ms || whole.has_down != cut.has_down)
        BUG("cutting the text changes what it says");
}

static void fuzz_settings(struct arena *a, struct str text, bool is_toml)
{
    struct fail f = FAIL_NONE;
    struct flyway_settings s = flyway_settings_default(a);
    if (flyway_settings_parse(a, text, STR("flyway"), is_toml, &s, &f) && s.suffixes.count == 0)
        BUG("settings without a suffix");
    fail_clear(&f);
}

static void fuzz_name(struct arena *a, struct str name)
{
    struct flyway_settings s = flyway_settings_default(a);
    struct flyway_name n = flyway_name_parse(a, &s, name);
    if (n.kind == FLYWAY_VERSIONED && n.version.len == 0)
        BUG("a versioned migration without a version");
}

static void fuzz_directive(struct arena *a, struct str comment)
{
    struct fail f = FAIL_NONE;
    struct directive d;
    if (directive_parse(a, comment, STR("x.sql"), 1, &d, &f) && d.kind == DIRECTIVE_ALLOW &&
        str_trim(d.reason).len == 0)
        BUG("an allow without a reason");
    fail_clear(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    SCOPED(arena) struct arena *a = arena_make();
    struct str text = {.at = (const char *)data + 1, .len = size - 1};
    switch (data[0] % 8) {
    case 0:
        fuzz_header(LAYOUT_GOOSE, text);
        break;
    case 1:
        fuzz_header(LAYOUT_DBMATE, text);
        break;
    case 2:
        fuzz_header(LAYOUT_PLAIN, text);
        break;
    case 3:
        fuzz_directive(a, text);
        break;
    case 4:
        fuzz_settings(a, text, true);
        break;
    case 5:
        fuzz_settings(a, text, false);
        break;
    case 6:
        fuzz_name(a, text);
        break;
    default:
        fuzz_header(LAYOUT_FLYWAY, text);
        break;
    }
    return 0;
}
