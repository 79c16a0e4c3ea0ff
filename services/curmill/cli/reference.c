/* Reference pages of the command line, from the tree that parses: its man page, and its settings. */
#include "cli/cli.h"

#include "base/config/reference.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MAX_TEXT = 128 };

static void man_option(const cli_option *option, FILE *out)
{
    fputs(".TP\n\\fB\\-\\-", out);
    cm_reference_man(option->name, out);
    fputs("\\fR", out);
    if (option->argument)
        fprintf(out, " \\fI%s\\fR%s", option->argument, option->many ? "..." : "");
    fprintf(out, "%s\n", option->required ? " (required)" : "");
    cm_reference_man_sentence(option->help, out);
}

static void man_command(const cli_command *command, const char *path, FILE *out)
{
    char below[PATH_MAX_TEXT];
    for (const cli_command *child = command->children; child && child->name; child++) {
        snprintf(below, sizeof below, "%s%s%s", path, *path ? " " : "", child->name);
        man_command(child, below, out);
    }
    if (!command->run)
        return;
    fputs(".SS \"", out);
    cm_reference_man(path, out);
    fprintf(out, "%s%s\"\n", command->operands ? " " : "", command->operands ? command->operands : "");
    cm_reference_man_sentence(command->summary, out);
    for (const cli_option *option = command->options; option && option->name; option++)
        man_option(option, out);
}

static void print_man(const cli_command *root, const cm_setting *const *tables, FILE *out)
{
    cm_reference_man_begin("curmill", root->summary, out);
    fputs(".SH SYNOPSIS\n"
          ".B curmill\n[\\fIglobal options\\fR] \\fICOMMAND\\fR ...\n"
          ".SH DESCRIPTION\n"
          "Data goes to standard output, everything else to standard error. Options may stand anywhere.\n"
          ".SH GLOBAL OPTIONS\n"
          ".TP\n\\fB\\-\\-format\\fR \\fBtable\\fR|\\fBjson\\fR|\\fBcsv\\fR\n"
          "The form of the output. Without it a terminal gets a table, anything else JSON.\n"
          ".TP\n\\fB\\-\\-quiet\\fR\n"
          "No notes and no progress on standard error.\n"
          ".SH COMMANDS\n",
          out);
    man_command(root, "", out);
    cm_reference_man_settings(tables, out);
    cm_reference_man_end("curmill", out);
}

bool cli_reference_print(int argc, char **argv, const cli_command *root, const cm_setting *const *tables)
{
    enum cm_reference form = argc == 2 ? cm_reference_asked(argv[1]) : CM_REFERENCE_NONE;
    if (form == CM_REFERENCE_MAN) {
        print_man(root, tables, stdout);
        return true;
    }
    return form != CM_REFERENCE_NONE && cm_reference_print(form, "curmill", root->summary, tables, stdout);
}
