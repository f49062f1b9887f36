/* Help, rendered from the tables of commands, options and exit codes. */
#include "cmd/command.h"
#include "core/base/text.h"

#define HELP_COLUMNS 100
#define OPTION_COLUMNS 34

/* Words from column OPTION_COLUMNS on; lines end before HELP_COLUMNS. */
static void print_wrapped(const char *text)
{
    struct str rest = str_of(text);
    size_t used = OPTION_COLUMNS;
    while (rest.len) {
        struct str word;
        rest = str_cut(rest, ' ', &word);
        if (used > OPTION_COLUMNS && used + text_width(word) + 1 > HELP_COLUMNS) {
            printf("\n%*s", OPTION_COLUMNS, "");
            used = OPTION_COLUMNS;
        }
        bool is_first = used == OPTION_COLUMNS;
        printf("%s%.*s", is_first ? "" : " ", STR_ARG(word));
        used += text_width(word) + !is_first;
    }
    putchar('\n');
}

static void print_options(unsigned command)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const struct option_row *row = &rows[i];
        if (!(row->commands & command))
            continue;
        char left[64];
        snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
                 row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
                 row->argument ? " " : "", row->argument ? row->argument : "");
        printf("  %-30s  ", left);
        print_wrapped(row->help);
    }
}

static void print_indented(const char *text)
{
    struct str rest = str_of(text);
    while (rest.len) {
        struct str line;
        rest = str_cut_line(rest, &line);
        printf("  %.*s\n", STR_ARG(line));
    }
}

void help_print_command(const struct command *c)
{
    printf("usage: migrate %s [options]%s%s\n\n", c->name, c->arguments[0] ? " " : "",
           c->arguments);
    printf("%s\n", c->text);
    if (c->aliases) {
        printf("\nalso:");
        for (const char *const *alias = c->aliases; *alias; alias++)
            printf(" %s", *alias);
        putchar('\n');
    }
    puts("\noptions:");
    print_options(c->bit);
    puts("\nexamples:");
    print_indented(c->examples);
}

void help_print_overview(void)
{
    size_t count;
    const struct command *rows = command_rows(&count);
    puts("usage: migrate <command> [options] [arguments]\n\n"
         "Runs numbered SQL migrations against PostgreSQL and SQLite: once, in order, crash-safe,\n"
         "with an audit trail.\n\ncommands:");
    for (size_t i = 0; i < count; i++)
        printf("  %-12s  %s\n", rows[i].name, rows[i].summary);
    puts("\n`migrate help COMMAND` shows its options; `migrate help exit-codes` what a pipeline "
         "may\n"
         "rely on. The database comes from --url, a target in migrator.yml, MIGRATE_URL or\n"
         "DATABASE_URL, and last from libpq's own PG* variables.");
}

static void print_exit_codes(void)
{
    size_t count;
    const struct exit_code_row *rows = exit_code_rows(&count);
    puts("exit codes:");
    for (size_t i = 0; i < count; i++)
        printf("  %3d  %-12s  %s\n                     → %s\n", (int)rows[i].code, rows[i].name,
               rows[i].sentence, rows[i].advice);
}

enum exit_code cmd_help(struct arena *a, const struct options *o, struct fail *f)
{
    (void)a;
    if (!o->arguments.count) {
        help_print_overview();
        return EXIT_DONE;
    }
    const char *topic = o->arguments.at[0];
    if (strcmp(topic, "exit-codes") == 0) {
        print_exit_codes();
        return EXIT_DONE;
    }
    const struct command *c = command_find(topic, f);
    if (!c)
        return f->code;
    help_print_command(c);
    return EXIT_DONE;
}
