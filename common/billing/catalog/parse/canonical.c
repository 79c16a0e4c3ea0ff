#include "billing/catalog/parse/canonical.h"

char *cm_catalog_text(const json_t *canonical)
{
    char *text = json_dumps(canonical, JSON_COMPACT | JSON_SORT_KEYS);
    cm_assert(text);
    return text;
}
