#include "billing/catalog/model/private.h"

const void *cm_find_by_id(const void *list, size_t count, size_t size, const char *id)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *const *element = (const void *)((const char *)list + middle * size);
        int order = strcmp(*element, id);
        if (order == 0)
            return element;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool cm_payer_reports(const cm_payer *payer, cm_period period)
{
    return !payer->no_reports &&
           cm_period_start(period) >= (payer->reports_from.year ? cm_period_start(payer->reports_from) : INT64_MIN);
}

const cm_payer *cm_catalog_payer(const cm_catalog *catalog, const char *id)
{
    return cm_find_by_id(catalog->payers, catalog->payer_count, sizeof *catalog->payers, id);
}

const cm_customer *cm_catalog_customer(const cm_catalog *catalog, const char *id)
{
    return cm_find_by_id(catalog->customers, catalog->customer_count, sizeof *catalog->customers, id);
}

const cm_invoice_format *cm_catalog_invoice_format(const cm_catalog *catalog, const char *id)
{
    return cm_find_by_id(catalog->invoice_formats, catalog->invoice_format_count, sizeof *catalog->invoice_formats, id);
}

const cm_distributor *cm_catalog_distributor(const cm_catalog *catalog, const char *lane)
{
    for (size_t i = 0; i < catalog->distributor_count; i++)
        if (strcmp(catalog->distributors[i].lane, lane) == 0)
            return &catalog->distributors[i];
    return NULL;
}

const cm_tax_profile *cm_distributor_tax_profile(const cm_distributor *distributor, const char *country)
{
    for (size_t i = 0; distributor && *country && i < distributor->tax_profile_count; i++)
        if (strcmp(distributor->tax_profiles[i].country, country) == 0)
            return &distributor->tax_profiles[i];
    return NULL;
}

bool cm_distributor_has_territory(const cm_distributor *distributor, const char *country, cm_instant at)
{
    for (size_t i = 0; i < distributor->territory_count; i++) {
        const cm_territory *territory = &distributor->territories[i];
        if (strcmp(territory->country, country) == 0 && territory->from <= at && at < territory->to)
            return true;
    }
    return false;
}

static int compare_text_slice(const char *text, cm_slice other)
{
    size_t length = strlen(text), common = length < other.length ? length : other.length;
    int order = common ? memcmp(text, other.text, common) : 0;
    return order ? order : (length > other.length) - (length < other.length);
}

/* < 0: the link is before (payer, account). */
static int link_order(const cm_link *link, const char *payer, cm_slice account)
{
    int order = strcmp(link->payer, payer);
    return order ? order : compare_text_slice(link->account, account);
}

const cm_link *cm_catalog_links(const cm_catalog *catalog, const char *payer, cm_slice account, size_t *ret_count)
{
    size_t low = 0, high = catalog->link_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (link_order(&catalog->links[middle], payer, account) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < catalog->link_count && link_order(&catalog->links[end], payer, account) == 0)
        end++;
    *ret_count = end - low;
    return end > low ? &catalog->links[low] : NULL;
}

static int fx_order(const cm_fx_rate *rate, enum cm_fx_set set, const char *from, const char *to, cm_period period)
{
    int order = (rate->set > set) - (rate->set < set);
    if (!order)
        order = strcmp(rate->from, from);
    if (!order)
        order = strcmp(rate->to, to);
    if (!order)
        order = (rate->period.year > period.year) - (rate->period.year < period.year);
    return order ? order : (rate->period.month > period.month) - (rate->period.month < period.month);
}

const cm_fx_rate *cm_catalog_fx(const cm_catalog *catalog, enum cm_fx_set set, const char *from, const char *to,
                                cm_period period)
{
    const struct cm_catalog_private *private = catalog->private_;
    size_t low = 0, high = catalog->fx_rate_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = fx_order(private->fx_index[middle], set, from, to, period);
        if (order == 0)
            return private->fx_index[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const cm_rule *cm_price_book_tiers(const cm_price_book *book, const char *rule, cm_period period)
{
    for (size_t v = book ? book->count : 0; v-- > 0;) {
        const cm_book_version *version = &book->versions[v];
        if (version->effective_from >= cm_period_end(period))
            continue;
        for (size_t r = 0; r < version->count; r++)
            if (strcmp(version->rules[r].id, rule) == 0)
                return version->rules[r].price == CM_PRICE_TIERS ? &version->rules[r] : NULL;
        if (version->effective_from <= cm_period_start(period))
            break;
    }
    return NULL;
}

void cm_catalog_free(cm_catalog *catalog)
{
    if (!catalog)
        return;
    struct cm_catalog_private *private = catalog->private_;
    for (size_t i = 0; i < private->source_count; i++)
        json_decref(private->sources[i]);
    cm_catalog *base = private->base;
    cm_arena_free(private->arena); /* holds `catalog` and `private` too */
    cm_catalog_free(base);
}
