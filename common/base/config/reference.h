/*
 * Reference pages made from the tables of settings, so that docs/ and the man pages say what `--help` says. Every
 * program answers the option --print-reference=FORM, which --help does not list; the script docs/generate calls it.
 * What is printed depends on the tables and the version only.
 */
#ifndef CM_CONFIG_REFERENCE_H
#define CM_CONFIG_REFERENCE_H

#include "base/config/config.h"

enum cm_reference {
    CM_REFERENCE_NONE,
    CM_REFERENCE_COMMON,   /* Markdown table of the settings that every worker has */
    CM_REFERENCE_SETTINGS, /* Markdown section with the program's own settings */
    CM_REFERENCE_MAN,      /* man page, section 1 */
};

/* The form that "--print-reference=FORM" asks for; NONE if `argument` is something else. */
enum cm_reference cm_reference_asked(const char *argument);

/* A worker's page. `tables` as for cm_config_load. False: NONE. */
bool cm_reference_print(enum cm_reference form, const char *program, const char *summary,
                        const cm_setting *const *tables, FILE *out);

/* The parts, for a program with more to say than its settings. */

/* Text with `code` in backticks. In Markdown "|" is escaped, so that it may stand in a table. */
void cm_reference_markdown(const char *text, FILE *out);
void cm_reference_man(const char *text, FILE *out);
/* The same as a sentence: with a capital, a full stop and, in a man page, a line end. */
void cm_reference_markdown_sentence(const char *text, FILE *out);
void cm_reference_man_sentence(const char *text, FILE *out);
/* .TH and NAME. */
void cm_reference_man_begin(const char *program, const char *summary, FILE *out);
/* SETTINGS with all tables, and the options that every program has. */
void cm_reference_man_settings(const cm_setting *const *tables, FILE *out);
/* ENVIRONMENT, FILES, EXIT STATUS, SEE ALSO. */
void cm_reference_man_end(const char *program, FILE *out);

#endif
