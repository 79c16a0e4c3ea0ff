#include "billing/number/number.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum word { RESELLER, SERIES, YEAR, NUMBER, WORDS };
static const char *const words[WORDS] = {"{reseller}", "{series}", "{year}", "{number}"};

/* The word that the text begins with; WORDS: none. */
static enum word word_at(const char *text)
{
    int word = 0;
    while (word < WORDS && strncmp(text, words[word], strlen(words[word])) != 0)
        word++;
    return (enum word)word;
}

bool cm_number_is_pattern(const char *text)
{
    int times[WORDS] = {0};
    if (strlen(text) > CM_NUMBER_PATTERN_MAX)
        return false;
    while (*text) {
        enum word word = word_at(text);
        if (word < WORDS) {
            times[word]++;
            text += strlen(words[word]);
        } else if (isalnum((unsigned char)*text) || strchr(" -_./#", *text)) {
            text++;
        } else {
            return false;
        }
    }
    return times[SERIES] == 1 && times[YEAR] == 1 && times[NUMBER] == 1 && times[RESELLER] <= 1;
}

bool cm_number_is_series(const char *text)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]))
            return false;
    return length > 0 && length <= CM_NUMBER_SERIES_MAX;
}

void cm_number_print(const char *pattern, const char *reseller, const char *series, int year, int64_t number,
                     cm_buffer *ret)
{
    while (*pattern) {
        enum word word = word_at(pattern);
        switch (word) {
        case RESELLER:
            cm_buffer_text(ret, reseller);
            break;
        case SERIES:
            cm_buffer_text(ret, series);
            break;
        case YEAR:
            cm_buffer_printf(ret, "%04d", year);
            break;
        case NUMBER:
            cm_buffer_printf(ret, "%06" PRId64, number);
            break;
        case WORDS:
            cm_buffer_char(ret, *pattern);
            break;
        }
        pattern += word < WORDS ? strlen(words[word]) : 1;
    }
}

void cm_number_series(int nth, char ret[static CM_NUMBER_SERIES_MAX + 1])
{
    if (nth < 26)
        snprintf(ret, CM_NUMBER_SERIES_MAX + 1, "%c", 'A' + nth);
    else
        snprintf(ret, CM_NUMBER_SERIES_MAX + 1, "S%d", nth + 1);
}
