#include "base/base/buffer.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MASK "***"

bool cm_config_key_is_secret(const char *key, const cm_setting *setting)
{
    static const char *const words[] = {
        "password", "secret", "token", "credential", "ssl.key.pem", "jaas", "sasl.oauthbearer.config"};
    if (setting && setting->secret)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(key, words[i]))
            return true;
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The end of a value in a libpq keyword string: '...' with \ escapes, or up to white space. */
static const char *keyword_value_end(const char *at)
{
    bool quoted = *at == '\'';
    if (quoted)
        at++;
    for (; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (quoted ? *at == '\'' : is_space(*at))
            return quoted ? at + 1 : at;
    }
    return at;
}

/* "host=x password = 'y z' user=w": what follows a keyword that ends in "password" is masked. */
static void mask_keywords(const char *text, cm_buffer *into)
{
    while (*text) {
        const char *found = strcasestr(text, "password");
        if (!found)
            break;
        const char *at = found + strlen("password");
        while (is_space(*at))
            at++;
        if (*at != '=') {
            cm_buffer_append(into, text, (size_t)(at - text));
            text = at;
            continue;
        }
        at++;
        while (is_space(*at))
            at++;
        cm_buffer_append(into, text, (size_t)(at - text));
        cm_buffer_text(into, MASK);
        text = keyword_value_end(at);
    }
    cm_buffer_text(into, text);
}

/* "...?sslpassword=x&..." */
static void mask_query(const char *text, cm_buffer *into)
{
    for (const char *found; (found = strcasestr(text, "password=")) != NULL;) {
        found += strlen("password=");
        cm_buffer_append(into, text, (size_t)(found - text));
        cm_buffer_text(into, MASK);
        text = found + strcspn(found, "&");
    }
    cm_buffer_text(into, text);
}

/*
 * scheme://user:password@host/...: from the first colon to the last @ of all, since a password may contain an unescaped
 * "/", "?" or "@" by mistake. The query is masked first: an @ in a password there must not be mistaken for that one.
 */
static void mask_uri(const char *text, cm_buffer *into)
{
    cm_buffer query_masked = {0};
    mask_query(text, &query_masked);
    text = cm_buffer_string(&query_masked);
    const char *authority = strstr(text, "://") + 3;
    const char *at_sign = strrchr(authority, '@');
    const char *colon = at_sign ? memchr(authority, ':', (size_t)(at_sign - authority)) : NULL;
    if (colon) {
        cm_buffer_append(into, text, (size_t)(colon + 1 - text));
        cm_buffer_text(into, MASK);
        text = at_sign;
    }
    cm_buffer_text(into, text);
    cm_buffer_free(&query_masked);
}

char *cm_config_shown(const config_entry *entry)
{
    cm_buffer shown = {0};
    const char *value = entry->value ? entry->value : "";
    const char *scheme = strstr(value, "://");
    const char *equals = strchr(value, '=');
    if (cm_config_key_is_secret(entry->key, entry->setting))
        cm_buffer_text(&shown, *value ? MASK : "");
    else if (scheme && (!equals || equals > scheme))
        mask_uri(value, &shown);
    else
        mask_keywords(value, &shown);
    return cm_buffer_take(&shown);
}
