/*
 * Settings: one table per program (key, type, default, range, help). It provides --help, --print-config, validation
 * and docs/settings.md and the man pages (reference.h). Sources, in increasing precedence: default, file (--config
 * FILE, `key = value`, `#` comments), environment (CURMILL_ + key in upper case, dots to underscores), command line
 * (--key VALUE or --key=VALUE). Unknown keys are refused with the nearest known one, except CURMILL_HOME,
 * CURMILL_PORT_BASE, CURMILL_CLOCK and other names listed in known_keys.c. Any librdkafka property passes as
 * `kafka.<property>`; secrets (password, secret, the password inside a connection string) are never printed. The file
 * may hold settings of several programs: a key that some curmill program knows but this one does not use is accepted
 * in the file (list of all known keys in known_keys.c), an unknown key is refused.
 */
#ifndef CM_CONFIG_CONFIG_H
#define CM_CONFIG_CONFIG_H

#include "base/base/error.h"

#include <stdint.h>
#include <stdio.h>

enum cm_setting_type { CM_SETTING_TEXT, CM_SETTING_INTEGER, CM_SETTING_BOOLEAN, CM_SETTING_CHOICE };

typedef struct cm_setting {
    const char *key; /* "scan.interval.seconds" */
    enum cm_setting_type type;
    const char *default_value; /* NULL: required */
    int64_t minimum, maximum;  /* integers; both 0: any */
    const char *choices;       /* "logfmt|json" */
    bool secret;
    const char *help;
} cm_setting;

/* The settings that every worker has (lane, database, health.*, log.*); a program's table ends with {0}. */
extern const cm_setting cm_settings_common[];

typedef struct cm_config cm_config;

/*
 * `program` names the caller in help texts. `tables` is a NULL-ended list of setting tables; an entry of a later table
 * replaces an earlier one with the same key. A boolean option may come without a value (--quiet) and then means true.
 * Stops at the first argument that is not an option; *ret_rest is its index. Fills *ret_exit with -1 to go on, or the
 * exit code after --help, --version, --print-config.
 */
CM_NODISCARD cm_config *cm_config_load(const char *program, const char *summary, const cm_setting *const *tables,
                                       int argc, char **argv, int *ret_rest, int *ret_exit, cm_error *err);
void cm_config_free(cm_config *config);

/* Values are owned by the config. An unknown key is a bug (assertion), except that kafka.<property> gives NULL if not
 * set. */
const char *cm_config_text(const cm_config *config, const char *key);
int64_t cm_config_integer(const cm_config *config, const char *key);
bool cm_config_boolean(const cm_config *config, const char *key);

/* Calls `each` for every kafka.<property> with the prefix removed. */
void cm_config_kafka(const cm_config *config, void (*each)(const char *property, const char *value, void *opaque),
                     void *opaque);
void cm_config_print(const cm_config *config, FILE *out); /* effective settings with their source, no secrets */
void cm_config_log(const cm_config *config);              /* the same as one log line */

#endif
