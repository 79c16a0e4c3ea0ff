#include "base/config/reference.h"

#include "base/base/buffer.h"
#include "internal.h"

#include <string.h>

static const char *const programs[] = {"curmill",        "ingest-cur", "rate-engine",
                                       "invoice-writer", "org-linker", "tax-inheritance-checker"};

enum cm_reference cm_reference_asked(const char *argument)
{
    static const char option[] = "--print-reference=";
    static const struct {
        const char *name;
        enum cm_reference form;
    } forms[] = {{"common", CM_REFERENCE_COMMON}, {"settings", CM_REFERENCE_SETTINGS}, {"man", CM_REFERENCE_MAN}};
    if (strncmp(argument, option, sizeof option - 1) != 0)
        return CM_REFERENCE_NONE;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(argument + sizeof option - 1, forms[i].name) == 0)
            return forms[i].form;
    return CM_REFERENCE_NONE;
}

/* --- text ------------------------------------------------------------------------------------------------------- */

void cm_reference_markdown(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* The first letter as a capital. */
static const char *begin_sentence(const char *text, FILE *out)
{
    if (*text >= 'a' && *text <= 'z')
        fputc(*text++ - 'a' + 'A', out);
    return text;
}

static void end_sentence(const char *text, FILE *out)
{
    size_t length = strlen(text);
    if (length && text[length - 1] != '.')
        fputc('.', out);
}

void cm_reference_markdown_sentence(const char *text, FILE *out)
{
    cm_reference_markdown(begin_sentence(text, out), out);
    end_sentence(text, out);
}

void cm_reference_man_sentence(const char *text, FILE *out)
{
    cm_reference_man(begin_sentence(text, out), out);
    end_sentence(text, out);
    fputc('\n', out);
}

/* Backticks become bold type. A dot or an apostrophe that begins a line would be a request of troff. */
void cm_reference_man(const char *text, FILE *out)
{
    bool bold = false;
    char before = 0;
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text; before = *text++) {
        if (*text == '`')
            fputs((bold = !bold) ? "\\fB" : "\\fR", out);
        else if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-' && (bold || text[1] == '-' || before == '-'))
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

/* --- Markdown --------------------------------------------------------------------------------------------------- */

static void markdown_row(const cm_setting *setting, FILE *out)
{
    cm_buffer type = {0};
    cm_config_describe_type(setting, &type);
    fprintf(out, "| `%s` | ", setting->key);
    cm_reference_markdown(cm_buffer_string(&type), out);
    if (!setting->default_value)
        fputs(" | required | ", out);
    else if (*setting->default_value)
        fprintf(out, " | `%s` | ", setting->default_value);
    else
        fputs(" | | ", out);
    cm_reference_markdown_sentence(setting->help, out);
    fputs(" |\n", out);
    cm_buffer_free(&type);
}

/* False, and nothing is printed, if the table is empty. */
static bool markdown_table(const cm_setting *table, FILE *out)
{
    if (!table->key)
        return false;
    fputs("| setting | value | default | meaning |\n|---|---|---|---|\n", out);
    for (; table->key; table++)
        markdown_row(table, out);
    return true;
}

static void print_settings(const char *program, const char *summary, const cm_setting *const *tables, FILE *out)
{
    bool any = false;
    fprintf(out, "## %s\n\n", program);
    cm_reference_markdown_sentence(summary, out);
    fputs("\n\n", out);
    for (; *tables; tables++)
        if (*tables != cm_settings_common)
            any = markdown_table(*tables, out) || any;
    if (!any)
        fputs("It has no settings of its own.\n", out);
}

/* --- man -------------------------------------------------------------------------------------------------------- */

void cm_reference_man_begin(const char *program, const char *summary, FILE *out)
{
    fputs(".\\\" Made by docs/generate from the program's own tables. Do not edit.\n.TH \"", out);
    for (const char *c = program; *c; c++)
        fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
    /* No date: the page depends on the program alone. */
    fprintf(out, "\" 1 \"\" \"curmill %s\" \"curmill\"\n.SH NAME\n", CURMILL_VERSION);
    cm_reference_man(program, out);
    fputs(" \\- ", out);
    cm_reference_man(summary, out);
    fputs("\n", out);
}

static void man_setting(const cm_setting *setting, FILE *out)
{
    cm_buffer type = {0};
    cm_config_describe(setting, &type);
    fprintf(out, ".TP\n\\fB\\-\\-%s\\fR (", setting->key);
    cm_reference_man(cm_buffer_string(&type), out);
    fputs(")\n", out);
    cm_reference_man_sentence(setting->help, out);
    cm_buffer_free(&type);
}

void cm_reference_man_settings(const cm_setting *const *tables, FILE *out)
{
    fputs(".SH SETTINGS\n"
          "A later source replaces an earlier one: default, settings file, environment, command line.\n",
          out);
    for (; *tables; tables++)
        for (const cm_setting *setting = *tables; setting->key; setting++)
            man_setting(setting, out);
    fputs(".TP\n\\fB\\-\\-kafka.\\fIPROPERTY\\fR\n"
          "Any property of librdkafka, such as kafka.bootstrap.servers or kafka.security.protocol.\n"
          ".TP\n\\fB\\-\\-config\\fR \\fIFILE\\fR\n"
          "Read this settings file: lines of the form key = value, with # before comments.\n"
          ".TP\n\\fB\\-\\-print\\-config\\fR\n"
          "Print the settings in force and the source of each, without secrets, and exit.\n"
          ".TP\n\\fB\\-\\-version\\fR\n"
          "Print the version and exit.\n"
          ".TP\n\\fB\\-\\-help\\fR, \\fB\\-h\\fR\n"
          "Print a summary and exit.\n",
          out);
}

void cm_reference_man_end(const char *program, FILE *out)
{
    fputs(".SH ENVIRONMENT\n"
          ".TP\n\\fBCURMILL_\\fIKEY\\fR\n"
          "The setting KEY, in upper case and with underscores for dots: CURMILL_LOG_LEVEL is log.level.\n"
          ".TP\n\\fBCURMILL_CONFIG\\fR\n"
          "The settings file, if \\fB\\-\\-config\\fR is not given.\n"
          ".SH EXIT STATUS\n"
          ".TP\n0\nDone.\n"
          ".TP\n1\nWrong usage or a wrong setting.\n"
          ".TP\n2\nRefused by a rule.\n"
          ".TP\n3\nNot found.\n"
          ".TP\n4\nA dependency (the database, Kafka, AWS) is unavailable.\n"
          ".TP\n70\nA bug; please report it.\n",
          out);
    if (strcmp(program, "curmill") != 0)
        fputs(".TP\n71\nThe process could not go on and should be started again.\n", out);
    fputs(".SH SEE ALSO\n", out);
    bool first = true;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        if (strcmp(programs[i], program) == 0)
            continue;
        fputs(first ? ".BR " : " ,\n.BR ", out);
        cm_reference_man(programs[i], out);
        fputs(" (1)", out);
        first = false;
    }
    fputs("\n", out);
}

static void print_man(const char *program, const char *summary, const cm_setting *const *tables, FILE *out)
{
    cm_reference_man_begin(program, summary, out);
    fprintf(out, ".SH SYNOPSIS\n.B %s\n[\\fB\\-\\-\\fIKEY VALUE\\fR | \\fB\\-\\-\\fIKEY\\fR=\\fIVALUE\\fR]...\n",
            program);
    fprintf(out,
            ".SH DESCRIPTION\n%s is a worker of curmill. It runs until it gets SIGTERM or SIGINT; a second signal ends "
            "it at once. Where health.port is set, it serves /metrics, /healthz and /readyz.\n",
            program);
    cm_reference_man_settings(tables, out);
    cm_reference_man_end(program, out);
}

bool cm_reference_print(enum cm_reference form, const char *program, const char *summary,
                        const cm_setting *const *tables, FILE *out)
{
    switch (form) {
    case CM_REFERENCE_COMMON:
        return markdown_table(cm_settings_common, out);
    case CM_REFERENCE_SETTINGS:
        print_settings(program, summary, tables, out);
        return true;
    case CM_REFERENCE_MAN:
        print_man(program, summary, tables, out);
        return true;
    case CM_REFERENCE_NONE:
        break;
    }
    return false;
}
