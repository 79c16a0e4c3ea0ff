/*
 * What AWS sells in the generated reports: usage in several services, usage types, operations, regions and units, and
 * the special products that fees, support, marketplace and discounts stand on. All texts are ready CSV cells.
 */
#ifndef GENERATE_OFFERS_H
#define GENERATE_OFFERS_H

#include "numbers.h"
#include "text.h"

enum quantity { QUANTITY_HOURS, QUANTITY_GB_MONTH, QUANTITY_GB, QUANTITY_REQUESTS, QUANTITY_MANY, QUANTITY_TINY };
enum resource { RESOURCE_NONE, RESOURCE_INSTANCE, RESOURCE_VOLUME, RESOURCE_BUCKET, RESOURCE_ARN };

struct offer {
    const char *code; /* product code, unquoted */
    struct slice product_code, product_name, service_code, usage_type, operation, unit, description, tax_description;
    struct slice family, region, location, location_type, az, sku, rate_code, rate_id, term;
    struct slice instance_type, instance_family, vcpu, memory, operating_system, tenancy;
    struct slice storage_class, volume_type, availability, durability, group, transfer_type, to_location, to_region;
    struct slice product_map; /* CUR 2.0 */
    struct slice free_description;
    const char *arn_head; /* "arn:aws:lambda:us-east-1:", RESOURCE_ARN only */
    const char *arn_tail; /* ":function:handler-" */
    dec10 rate, list_rate;
    enum quantity quantity;
    enum resource resource;
};

enum { REGION_COUNT = 5, TEMPLATE_COUNT = 30, OFFER_COUNT = REGION_COUNT * TEMPLATE_COUNT };

/* Products of lines that are not plain usage. */
enum special {
    SPECIAL_REGISTRAR,
    SPECIAL_REINVENT,
    SPECIAL_CAPACITY_BLOCK,
    SPECIAL_MARKETPLACE_USAGE,
    SPECIAL_MARKETPLACE_CONTRACT,
    SPECIAL_SUPPORT_BUSINESS,
    SPECIAL_SUPPORT_DEVELOPER,
    SPECIAL_SUPPORT_PREMIUM,
    SPECIAL_SUPPORT_ENTERPRISE,
    SPECIAL_SAVINGS_PLAN,
    SPECIAL_KIRO,
    SPECIAL_COUNT
};

/* Region 0 to 3 are commercial, the last is China. Indexed [region * TEMPLATE_COUNT + template]. Template 0 and 1 are
 * EC2 instances that Savings Plans and reservations cover. */
void offers_build(struct offer usage[OFFER_COUNT], struct offer special[SPECIAL_COUNT]);

#endif
