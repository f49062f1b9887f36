/*
 * Shell completion and the manual page, rendered from the tables of commands and options, so that
 * neither can fall behind the program.
 */
#include "cmd/command.h"

static void print_words(const char *separator)
{
    size_t count;
    const struct command *rows = command_rows(&count);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? separator : "", rows[i].name);
}

static void print_bash(void)
{
    size_t commands;
    size_t options;
    const struct command *c = command_rows(&commands);
    const struct option_row *o = option_rows(&options);
    printf("_migrate() {\n    local word=${COMP_WORDS[COMP_CWORD]} words\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words=\"");
    print_words(" ");
    puts("\"\n    else\n        case ${COMP_WORDS[1]} in");
    for (size_t i = 0; i < commands; i++) {
        printf("        %s) words=\"", c[i].name);
        for (size_t k = 0; k < options; k++) {
            if (o[k].commands & c[i].bit)
                printf("--%s ", o[k].name);
        }
        puts("\" ;;");
    }
    puts("        esac\n    fi\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
         "    [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
         "}\ncomplete -o filenames -F _migrate migrate");
}

static void print_zsh(void)
{
    puts("#compdef migrate\nautoload -U +X bashcompinit && bashcompinit");
    print_bash();
}

static void print_fish(void)
{
    size_t commands;
    size_t options;
    const struct command *c = command_rows(&commands);
    const struct option_row *o = option_rows(&options);
    for (size_t i = 0; i < commands; i++)
        printf("complete -c migrate -n __fish_use_subcommand -a %s -d '%s'\n", c[i].name,
               c[i].summary);
    for (size_t k = 0; k < options; k++) {
        printf("complete -c migrate -l %s%s -n '__fish_seen_subcommand_from", o[k].name,
               o[k].argument ? " -r" : "");
        for (size_t i = 0; i < commands; i++) {
            if (o[k].commands & c[i].bit)
                printf(" %s", c[i].name);
        }
        puts("'");
    }
}

/* roff wants a leading dot or quote and every backslash escaped. */
static void print_roff(const char *text)
{
    bool at_start = true;
    for (; *text; text++) {
        if (at_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        at_start = *text == '\n';
    }
}

static void print_man_options(unsigned bit)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);
    for (size_t i = 0; i < count; i++) {
        if (!(rows[i].commands & bit))
            continue;
        fputs(".TP\n\\fB", stdout);
        if (rows[i].letter)
            printf("\\-%c\\fR, \\fB", rows[i].letter);
        fputs("\\-\\-", stdout);
        print_roff(rows[i].name);
        printf("\\fR%s%s\n", rows[i].argument ? " " : "", rows[i].argument ? rows[i].argument : "");
        print_roff(rows[i].help);
        putchar('\n');
    }
}

static void print_man(void)
{
    size_t count;
    const struct command *rows = command_rows(&count);
    printf(".TH MIGRATE 1 \"\" \"migrate %s\" \"\"\n.SH NAME\nmigrate \\- run SQL migrations "
           "safely on "
           "PostgreSQL and SQLite\n.SH SYNOPSIS\n.B migrate\n\\fIcommand\\fR [\\fIoptions\\fR] "
           "[\\fIarguments\\fR]\n",
           migrate_version());
    for (size_t i = 0; i < count; i++) {
        printf(".SH \"migrate %s %s\"\n", rows[i].name, rows[i].arguments);
        print_roff(rows[i].text);
        putchar('\n');
        print_man_options(rows[i].bit);
        puts(".PP\nExamples:\n.nf");
        print_roff(rows[i].examples);
        puts(".fi");
    }
    puts(".SH EXIT STATUS");
    size_t codes;
    const struct exit_code_row *code = exit_code_rows(&codes);
    for (size_t i = 0; i < codes; i++) {
        printf(".TP\n%d\n", (int)code[i].code);
        print_roff(code[i].sentence);
        putchar('\n');
    }
}

enum exit_code cmd_completion(struct arena *a, const struct options *o, struct fail *f)
{
    (void)a;
    static const struct {
        const char *name;
        void (*print)(void);
    } kinds[] = {
        {"bash", print_bash},
        {"zsh", print_zsh},
        {"fish", print_fish},
        {"man", print_man},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(o->arguments.at[0], kinds[i].name) == 0) {
            kinds[i].print();
            return EXIT_DONE;
        }
    }
    fail_set(f, EXIT_USAGE, "there is no completion for \"%s\"", o->arguments.at[0]);
    fail_hint(f, "Use bash, zsh or fish (or man, for the manual page).");
    return f->code;
}
