/* Internal to common/base/config. */
#ifndef CM_CONFIG_INTERNAL_H
#define CM_CONFIG_INTERNAL_H

#include "base/base/buffer.h"
#include "base/config/config.h"

#include <stddef.h>

#define CM_KAFKA_PREFIX "kafka."

typedef struct config_entry {
    const cm_setting *setting; /* NULL: a kafka.<property> that no table declares */
    char *key;
    char *value;  /* NULL: required and not given yet */
    char *source; /* "default", "file curmill.conf:3", "environment CURMILL_LANE", "command line" */
} config_entry;

struct cm_config {
    const char *program;
    config_entry *entries;
    size_t count;
};

/* known_keys.c: keys of all programs, and environment names that are not settings. Both NULL-ended. */
extern const char *const cm_known_keys[];
extern const char *const cm_known_environment[];

/* values.c */
config_entry *cm_config_find(const cm_config *config, const char *key);
/* Checks and stores a value. `source` is copied. The caller has already rejected unknown keys. */
bool cm_config_set(cm_config *config, const char *key, const char *value, const char *source, cm_error *err);
/* Whether some curmill program has the key, or it is kafka.<property>. */
bool cm_config_known_anywhere(const char *key);
/* INVALID, with the nearest key in the text. `shown` is how the user wrote it. */
bool cm_config_unknown(const cm_config *config, const char *key, const char *shown, const char *source, cm_error *err);
bool cm_config_is_boolean_word(const char *value, bool *ret);

/* file.c: a repeated key is refused, because it would hide a mistake. */
bool cm_config_read_file(cm_config *config, const char *path, cm_error *err);

/* mask.c: the value as it may be shown; caller frees. */
char *cm_config_shown(const config_entry *entry);
bool cm_config_key_is_secret(const char *key, const cm_setting *setting);

/* print.c: "integer 1..1000", and that with its default and whether it is a secret. */
void cm_config_describe_type(const cm_setting *setting, cm_buffer *into);
void cm_config_describe(const cm_setting *setting, cm_buffer *into);
void cm_config_help(const cm_config *config, const char *summary, FILE *out);

#endif
