/* Names and addresses, normalised for comparison (T03). */
#include "billing/tax/tax.h"

#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

char *cm_tax_normal(cm_arena *arena, const char *text)
{
    size_t length = strlen(text), folded_length = 0;
    const uint8_t *bytes = (const uint8_t *)text;
    uint8_t *folded =
        u8_check(bytes, length) ? NULL : u8_casefold(bytes, length, NULL, UNINORM_NFKC, NULL, &folded_length);
    if (!folded)
        return cm_arena_strndup(arena, text, length);
    char *kept = cm_arena_alloc(arena, folded_length + 1);
    size_t at = 0, out = 0;
    const uc_general_category_t wanted = uc_general_category_or(uc_general_category_or(UC_LETTER, UC_MARK), UC_NUMBER);
    while (at < folded_length) {
        ucs4_t character;
        int width = u8_mbtouc(&character, folded + at, folded_length - at);
        if (uc_is_general_category(character, wanted)) {
            memcpy(kept + out, folded + at, (size_t)width);
            out += (size_t)width;
        }
        at += (size_t)width;
    }
    kept[out] = 0;
    free(folded);
    return kept;
}
