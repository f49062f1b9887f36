/* A rehearsal for people: a line for each step, then what it was done on. */
#include "cmd/rehearse.h"
#include "cmd/terminal.h"
#include "core/base/clock.h"

#define SQL_SHOWN 48

bool rehearsal_wants_json(const struct options *o)
{
    return o->format && strcmp(o->format, "json") == 0;
}

void rehearsal_show_before(void *context, size_t index, size_t total,
                           const struct planned_migration *p)
{
    (void)context;
    struct str label = migration_label(p->migration);
    progress_show("[%zu/%zu] rehearsing %.*s %.*s …", index + 1, total, STR_ARG(label),
                  STR_ARG(p->migration->description));
}

/* "1.4 GB" */
static const char *size_text(struct arena *a, int64_t bytes)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB"};
    double size = (double)(bytes < 0 ? -bytes : bytes);
    size_t unit = 0;
    while (size >= 1000 && unit + 1 < ARRAY_LEN(units)) {
        size /= 1000;
        unit++;
    }
    return arena_printf(a, "%s%.*f %s", bytes < 0 ? "-" : "", unit && size < 100 ? 1 : 0, size,
                        units[unit]);
}

/* The longest wait of a class; "" where nobody waited. */
static const char *wait_cell(struct arena *a, const struct evidence_step *s, enum traffic class)
{
    int64_t longest_us = 0;
    for (size_t i = 0; i < s->waits.count; i++) {
        if (s->waits.at[i].class == class && s->waits.at[i].longest_us > longest_us)
            longest_us = s->waits.at[i].longest_us;
    }
    return longest_us ? clock_duration_text(a, longest_us) : "-";
}

/* "ACCESS EXCLUSIVE 340 ms": the lock in others' way that was held longest. */
static const char *lock_cell(struct arena *a, const struct evidence_step *s)
{
    const struct evidence_lock *longest = NULL;
    for (size_t i = 0; i < s->locks.count; i++) {
        const struct evidence_lock *l = &s->locks.at[i];
        if (lock_blocks_traffic(l->mode) && (!longest || l->held_us > longest->held_us))
            longest = l;
    }
    return longest ? arena_printf(a, "%s %s", lock_mode_sql(longest->mode),
                                  clock_duration_text(a, longest->held_us))
                   : "-";
}

static void print_steps(struct arena *a, const struct evidence *e)
{
    static const char *const headings[] = {"MIGRATION", "LINE",         "STEP",
                                           "TOOK",      "READS WAITED", "WRITES WAITED",
                                           "LOCK",      "WAL",          "STATEMENT"};
    struct table *t = table_make(a, headings, ARRAY_LEN(headings));
    for (size_t i = 0; i < e->steps.count; i++) {
        const struct evidence_step *s = &e->steps.at[i];
        struct str sql;
        (void)str_cut_line(s->sql, &sql);
        const char *cells[] = {
            arena_cstr(a, s->migration),
            s->line ? arena_printf(a, "%u", s->line) : "",
            s->phase ? arena_printf(a, "%u %s", s->unit, s->phase) : "",
            clock_duration_text(a, s->to_us - s->from_us),
            wait_cell(a, s, TRAFFIC_READ),
            wait_cell(a, s, TRAFFIC_WRITE),
            lock_cell(a, s),
            size_text(a, s->wal_bytes),
            arena_cstr(a, terminal_cut(sql, SQL_SHOWN)),
        };
        table_add(t, cells, 3, s->is_over ? INK_BAD : INK_PLAIN);
    }
    table_print(t);
}

static void print_copy(struct arena *a, const struct evidence *e)
{
    const struct copy *c = e->copy;
    terminal_print("on a copy of %s, made of %s %s (%s, %s)\n", size_text(a, c->bytes),
                   copy_kind_name(c->kind), c->from, fidelity_name(c->fidelity), e->server);
    if (c->made_at_us)
        terminal_print("  it is of %s UTC\n",
                       terminal_time(a, str_of(clock_iso(a, c->made_at_us))));
    for (size_t i = 0; i < c->parts.count; i++)
        terminal_print("  %s: %s\n", c->parts.at[i].name,
                       clock_duration_text(a, c->parts.at[i].duration_us));
    if (c->roles_missing)
        terminal_print(
            "  %lld owners or rights were left out: the server does not have the roles\n",
            (long long)c->roles_missing);
}

void rehearsal_print(struct arena *a, const struct evidence *e, const char *out)
{
    bool is_pass = e->verdict == VERDICT_PASS;
    progress_clear();
    print_steps(a, e);
    putchar('\n');
    print_copy(a, e);
    terminal_print("  %lld statements in place of the application's were sent meanwhile\n",
                   (long long)e->seen->probes);
    if (e->waiting)
        terminal_print("%zu steps wait for `migrate contract`: they were not rehearsed\n",
                       e->waiting);
    terminal_print("%s%s%s: plan %.12s in %s\n", ink_on(is_pass ? INK_GOOD : INK_BAD),
                   verdict_name(e->verdict), ink_off(INK_GOOD), e->plan.hex,
                   clock_duration_text(a, e->duration_us));
    if (out)
        terminal_print("evidence: %s\n", out);
}
