/* Patterns over output: see normalise.h. */
#include "drivers/testkit/normalise.h"

#include <pwd.h>
#include <regex.h>
#include <unistd.h>

#include "drivers/testkit/fixture.h"

static void take(struct buf *b, struct buf *made)
{
    struct buf old = *b;
    *b = *made;
    *made = old;
    buf_release(made);
    *made = (struct buf){0};
}

void normalise_pattern(struct buf *b, const char *pattern, const char *replacement)
{
    regex_t regex;
    regmatch_t match[2];
    struct buf made = {0};
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) != 0)
        fixture_die("not a pattern: %s", pattern);
    const char *at = buf_cstr(b);
    int flags = 0;
    while (*at && regexec(&regex, at, ARRAY_LEN(match), match, flags) == 0) {
        buf_add(&made, at, (size_t)match[0].rm_so);
        for (const char *r = replacement; *r; r++) {
            if (r[0] == '\\' && r[1] == '1') {
                buf_add(&made, at + match[1].rm_so, (size_t)(match[1].rm_eo - match[1].rm_so));
                r++;
            } else {
                buf_add_char(&made, *r);
            }
        }
        at += match[0].rm_eo;
        flags = match[0].rm_eo > 0 && at[-1] == '\n' ? 0 : REG_NOTBOL;
        if (match[0].rm_eo == match[0].rm_so && *at)
            buf_add_char(&made, *at++);
    }
    buf_add_cstr(&made, at);
    regfree(&regex);
    take(b, &made);
}

void normalise_text(struct buf *b, const char *text, const char *replacement)
{
    struct buf made = {0};
    struct str rest = buf_str(b);
    size_t found;
    while (*text && (found = str_find(rest, str_of(text))) != SIZE_MAX) {
        buf_add(&made, rest.at, found);
        buf_add_cstr(&made, replacement);
        rest = str_skip(rest, found + strlen(text));
    }
    buf_add_str(&made, rest);
    take(b, &made);
}

static void replace_names(struct buf *b)
{
    char host[256] = "";
    char pattern[600];
    const struct passwd *user = getpwuid(getuid());
    (void)gethostname(host, sizeof(host) - 1);
    snprintf(pattern, sizeof(pattern), "@%s( |$)", host);
    normalise_pattern(b, pattern, "@HOST\\1");
    snprintf(pattern, sizeof(pattern), "(\"host\": \")%s", host);
    normalise_pattern(b, pattern, "\\1HOST");
    if (!user)
        return;
    snprintf(pattern, sizeof(pattern), "( as |  |_by\": \"|_role\": \")%s\\>", user->pw_name);
    normalise_pattern(b, pattern, "\\1USER");
}

void normalise_common(struct buf *b)
{
    static const char *const patterns[][2] = {
        {"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?Z", "YYYY-MM-DDThh:mm:ssZ"},
        {"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", "YYYY-MM-DD hh:mm:ss"},
        {"\\<[0-9]+ (h|min) [0-9]{2} (min|s)\\>", "N ms"},
        {"\\<[0-9]+(\\.[0-9]+)? (ms|s)\\>", "N ms"},
        {"(\"duration_us\": )[0-9]+", "\\10"},
        {"\\<[0-9a-f]{64}\\>", "DIGEST"},
        {"\\<[0-9a-f]{32}\\>", "RUN"},
        {"(  )[0-9a-f]{8}$", "\\1RUN"},
        {"(run=)[0-9a-f]{8}\\>", "\\1RUN"},
        {"(process )[0-9]+\\>", "\\1PID"},
        {"(plan )[0-9a-f]{12}\\>", "\\1DIGEST"},
        {"^(migrate )[0-9]+\\.[0-9]+\\.[0-9]+ .*$", "\\1VERSION"},
        {"(  built with ).*$", "\\1VERSION"},
        {"^(  (libpq|sqlite|libpg_query|libgit2|jansson|libyaml|libcrypto) ) *[^ ]+ ",
         "\\1VERSION "},
        {"(server \\(PostgreSQL )[0-9.]+", "\\1VERSION"},
        {"(\"(build|runtime|commit)\": )\"[^\"]*\"", "\\1\"VERSION\""},
        {"^(  \"version\": )\"[^\"]*\"", "\\1\"VERSION\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        normalise_pattern(b, patterns[i][0], patterns[i][1]);
    replace_names(b);
}

void normalise_blanks(struct buf *b)
{
    normalise_pattern(b, " +$", "");
    normalise_pattern(b, "   +", "  ");
}
