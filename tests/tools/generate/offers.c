#include "offers.h"

#include "random.h"

#include <stdio.h>

struct template
{
    const char *code, *name, *family, *usage_type, *operation, *unit;
    dec10 rate; /* 10^-10 USD */
    enum quantity quantity;
    enum resource resource;
    const char *description; /* %s: region's place */
    const char *instance_type, *instance_family, *vcpu, *memory;
    const char *detail; /* storage class, volume type, group: by the family */
    const char *arn_service, *arn_tail;
};

// clang-format off
static const struct template templates[TEMPLATE_COUNT] = {
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Compute Instance", "BoxUsage:m5.xlarge", "RunInstances", "Hrs", 1920000000,
     QUANTITY_HOURS, RESOURCE_INSTANCE, "$0.192 per On Demand Linux m5.xlarge Instance Hour", "m5.xlarge", "General purpose", "4", "16 GiB", "", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Compute Instance", "BoxUsage:c6i.2xlarge", "RunInstances:0002", "Hrs", 3400000000,
     QUANTITY_HOURS, RESOURCE_INSTANCE, "$0.34 per On Demand Windows c6i.2xlarge Instance Hour", "c6i.2xlarge", "Compute optimized", "8", "16 GiB", "", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Compute Instance", "BoxUsage:t3.micro", "RunInstances", "Hrs", 104000000,
     QUANTITY_HOURS, RESOURCE_INSTANCE, "$0.0104 per On Demand Linux t3.micro Instance Hour", "t3.micro", "General purpose", "2", "1 GiB", "", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Compute Instance", "SpotUsage:r5.large", "RunInstances:SV001", "Hrs", 371000000,
     QUANTITY_HOURS, RESOURCE_INSTANCE, "r5.large Linux/UNIX Spot Instance-hour in %s", "r5.large", "Memory optimized", "2", "16 GiB", "", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Storage", "EBS:VolumeUsage.gp3", "CreateVolume-Gp3", "GB-Mo", 800000000,
     QUANTITY_GB_MONTH, RESOURCE_VOLUME, "$0.08 per GB-month of General Purpose (gp3) provisioned storage - %s", "", "", "", "", "General Purpose", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Storage Snapshot", "EBS:SnapshotUsage", "CreateSnapshot", "GB-Mo", 500000000,
     QUANTITY_GB_MONTH, RESOURCE_ARN, "$0.05 per GB-Month of snapshot data stored - %s", "", "", "", "", "EBS Snapshots", "ec2", ":snapshot/snap-"},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "NAT Gateway", "NatGateway-Bytes", "NatGateway", "GB", 450000000,
     QUANTITY_GB, RESOURCE_ARN, "$0.045 per GB Data Processed by NAT Gateways", "", "", "", "", "NGW:NatGateway", "ec2", ":natgateway/nat-"},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Data Transfer", "DataTransfer-Out-Bytes", "RunInstances", "GB", 900000000,
     QUANTITY_GB, RESOURCE_INSTANCE, "$0.090 per GB - first 10 TB / month data transfer out beyond the global free tier", "", "", "", "", "", "", ""},
    {"AmazonEC2", "Amazon Elastic Compute Cloud", "Data Transfer", "DataTransfer-Regional-Bytes", "InterZone-Out", "GB", 100000000,
     QUANTITY_GB, RESOURCE_INSTANCE, "$0.010 per GB - regional data transfer - in/out/between EC2 AZs or using elastic IPs or ELB", "", "", "", "", "", "", ""},
    {"AmazonS3", "Amazon Simple Storage Service", "Storage", "TimedStorage-ByteHrs", "StandardStorage", "GB-Mo", 230000000,
     QUANTITY_GB_MONTH, RESOURCE_BUCKET, "$0.023 per GB - first 50 TB / month of storage used", "", "", "", "", "General Purpose", "", ""},
    {"AmazonS3", "Amazon Simple Storage Service", "API Request", "Requests-Tier1", "PutObject", "Requests", 50000,
     QUANTITY_REQUESTS, RESOURCE_BUCKET, "$0.005 per 1,000 PUT, COPY, POST, or LIST requests", "", "", "", "", "S3-API-Tier1", "", ""},
    {"AmazonS3", "Amazon Simple Storage Service", "API Request", "Requests-Tier2", "GetObject", "Requests", 4000,
     QUANTITY_MANY, RESOURCE_BUCKET, "$0.004 per 10,000 GET and all other requests", "", "", "", "", "S3-API-Tier2", "", ""},
    {"AmazonS3", "Amazon Simple Storage Service", "Data Transfer", "APS2-AWS-Out-Bytes", "ListAllMyBuckets", "GB", 200000000,
     QUANTITY_TINY, RESOURCE_BUCKET, "$0.02 per GB - %s data transfer to Asia Pacific (Sydney)", "", "", "", "", "", "", ""},
    {"AWSQueueService", "Amazon Simple Queue Service", "API Request", "Requests-Tier1", "SendMessage", "Requests", 4000,
     QUANTITY_REQUESTS, RESOURCE_ARN, "$0.40 per million Amazon SQS standard requests, after the first 1,000,000", "", "", "", "", "SQS-APIRequest-Tier1", "sqs", ":orders-"},
    {"AWSLambda", "AWS Lambda", "Serverless", "Lambda-GB-Second", "Invoke", "Lambda-GB-Second", 166667,
     QUANTITY_REQUESTS, RESOURCE_ARN, "AWS Lambda - Total Compute - %s", "", "", "", "", "AWS-Lambda-Duration", "lambda", ":function:handler-"},
    {"AWSLambda", "AWS Lambda", "Serverless", "Request", "Invoke", "Lambda-Requests", 2000,
     QUANTITY_MANY, RESOURCE_ARN, "AWS Lambda - Total Requests - %s", "", "", "", "", "AWS-Lambda-Requests", "lambda", ":function:handler-"},
    {"AmazonRDS", "Amazon Relational Database Service", "Database Instance", "InstanceUsage:db.r6g.large", "CreateDBInstance:0014", "Hrs", 2250000000,
     QUANTITY_HOURS, RESOURCE_ARN, "$0.225 per RDS db.r6g.large Single-AZ instance hour (or partial hour) running PostgreSQL", "db.r6g.large", "Memory optimized", "2", "16 GiB", "", "rds", ":db:ledger-"},
    {"AmazonRDS", "Amazon Relational Database Service", "Database Storage", "RDS:GP3-Storage", "CreateDBInstance:0014", "GB-Mo", 1150000000,
     QUANTITY_GB_MONTH, RESOURCE_ARN, "$0.115 per GB-month of provisioned GP3 storage running PostgreSQL", "", "", "", "", "General Purpose-GP3", "rds", ":db:ledger-"},
    {"AmazonDynamoDB", "Amazon DynamoDB", "Amazon DynamoDB PayPerRequest Throughput", "WriteRequestUnits", "PayPerRequestThroughput", "WriteRequestUnits", 12500,
     QUANTITY_MANY, RESOURCE_ARN, "$1.25 per million write request units (%s)", "", "", "", "", "DDB-WriteUnits", "dynamodb", ":table/session-"},
    {"AmazonCloudWatch", "AmazonCloudWatch", "Metric", "CW:MetricMonitorUsage", "MetricStorage:AWS/EC2", "Metrics", 3000000000,
     QUANTITY_TINY, RESOURCE_NONE, "$0.30 per metric-month for the first 10,000 metrics - %s", "", "", "", "", "Metric", "", ""},
    {"AmazonCloudWatch", "AmazonCloudWatch", "Data Payload", "DataProcessing-Bytes", "PutLogEvents", "GB", 5000000000,
     QUANTITY_GB, RESOURCE_ARN, "$0.50 per GB custom log data ingested in Standard log class - %s", "", "", "", "", "Ingested Logs", "logs", ":log-group:/aws/lambda/handler-"},
    {"awskms", "AWS Key Management Service", "API Request", "KMS-Requests", "Decrypt", "Requests", 30000,
     QUANTITY_REQUESTS, RESOURCE_ARN, "$0.03 per 10,000 KMS requests in %s", "", "", "", "", "", "kms", ":key/"},
    {"AmazonCloudFront", "Amazon CloudFront", "Data Transfer", "EU-DataTransfer-Out-Bytes", "GET", "GB", 850000000,
     QUANTITY_GB, RESOURCE_ARN, "$0.085 per GB - first 10 TB / month data transfer out", "", "", "", "", "", "cloudfront", ":distribution/E"},
    {"AmazonECS", "Amazon Elastic Container Service", "Compute", "Fargate-vCPU-Hours:perCPU", "FargateTask", "hours", 404800000,
     QUANTITY_HOURS, RESOURCE_ARN, "AWS Fargate - vCPU - %s", "", "", "4", "", "", "ecs", ":task/prod/"},
    {"AWSELB", "Elastic Load Balancing", "Load Balancer-Application", "LCUUsage", "LoadBalancing:Application", "LCU-Hrs", 80000000,
     QUANTITY_TINY, RESOURCE_ARN, "$0.008 per used Application load balancer capacity unit-hour (or partial hour)", "", "", "", "", "ELB:Balancer", "elasticloadbalancing", ":loadbalancer/app/web/"},
    {"AmazonRoute53", "Amazon Route 53", "DNS Query", "DNS-Queries", "A", "Queries", 4000,
     QUANTITY_MANY, RESOURCE_ARN, "$0.40 per 1,000,000 queries for the first 1 Billion queries", "", "", "", "", "", "route53", ":hostedzone/Z"},
    {"AmazonVPC", "Amazon Virtual Private Cloud", "VpcEndpoint", "PublicIPv4:InUseAddress", "AssociateAddressVPC", "Hrs", 50000000,
     QUANTITY_HOURS, RESOURCE_ARN, "$0.005 per In-use public IPv4 address per hour", "", "", "", "", "VPCPublicIPv4Address", "ec2", ":elastic-ip/eipalloc-"},
    {"AWSCloudTrail", "AWS CloudTrail", "Management Tools", "FreeEventsRecorded", "None", "Events", 0,
     QUANTITY_REQUESTS, RESOURCE_NONE, "0.0 per free event recorded in %s region", "", "", "", "", "", "", ""},
    {"AWSGlue", "AWS Glue", "Compute", "ETL-DPU-Hour", "Jobrun", "DPU-Hour", 4400000000,
     QUANTITY_TINY, RESOURCE_ARN, "$0.44 per Data Processing Unit-Hour for AWS Glue ETL job", "", "", "", "", "", "glue", ":job/nightly-"},
    {"AmazonBedrock", "Amazon Bedrock", "Bedrock", "input-token-count", "InvokeModelInference", "1K tokens", 30000000,
     QUANTITY_REQUESTS, RESOURCE_NONE, "$0.003 per 1K input tokens, on demand, \"Sonnet\" model in %s", "", "", "", "", "", "", ""},
};
// clang-format on
static const struct region {
    const char *code, *place, *prefix;
} regions[REGION_COUNT] = {
    {"us-east-1", "US East (N. Virginia)", "USE1-"},     {"eu-central-1", "EU (Frankfurt)", "EUC1-"},
    {"ap-northeast-1", "Asia Pacific (Tokyo)", "APN1-"}, {"ca-central-1", "Canada (Central)", "CAN1-"},
    {"cn-north-1", "China (Beijing)", "CNN1-"},
};

/* 16 characters of A-Z2-7 as AWS's SKUs have, the same for every seed. */
static const char *sku_for(unsigned template, unsigned region)
{
    struct rng r = rng_for(0x5b0, template * 16 + region);
    char sku[17];
    for (int i = 0; i < 16; i++)
        sku[i] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"[rng_below(&r, 31)];
    sku[16] = '\0';
    return text_format("%s", sku);
}

static const char *place_into(const char *pattern, const char *place)
{
    const char *hole = strstr(pattern, "%s");
    if (hole == NULL)
        return pattern;
    return text_format("%.*s%s%s", (int)(hole - pattern), pattern, place, hole + 2);
}

static struct slice only_if(int condition, const char *text)
{
    return slice_of(condition ? text : "");
}

static void fill_product(struct offer *o, const struct template *t)
{
    int compute = t->instance_type[0] != '\0', storage = strstr(t->family, "torage") != NULL;
    int transfer = strcmp(t->family, "Data Transfer") == 0;
    o->instance_type = slice_of(t->instance_type);
    o->instance_family = slice_of(t->instance_family);
    o->vcpu = slice_of(t->vcpu);
    o->memory = slice_of(t->memory);
    o->operating_system = only_if(compute, strstr(t->description, "Windows") ? "Windows" : "Linux");
    o->tenancy = only_if(compute, "Shared");
    o->storage_class = only_if(storage, t->detail);
    o->volume_type = only_if(storage, strcmp(t->code, "AmazonS3") == 0 ? "Standard" : t->detail);
    o->availability = only_if(strcmp(t->code, "AmazonS3") == 0 && storage, "99.99%");
    o->durability = only_if(strcmp(t->code, "AmazonS3") == 0 && storage, "99.999999999%");
    o->group = only_if(!storage && !compute, t->detail);
    o->transfer_type = only_if(transfer, "InterRegion Outbound");
    o->to_location = only_if(transfer, "External");
    o->to_region = only_if(transfer, "external");
}

static void build_offer(struct offer *o, unsigned number, unsigned region)
{
    const struct template *t = &templates[number];
    const struct region *where = &regions[region];
    const char *sku = sku_for(number, region);
    *o = (struct offer){.code = t->code, .quantity = t->quantity, .resource = t->resource};
    o->product_code = csv_cell(t->code);
    o->product_name = csv_cell(t->name);
    o->service_code = csv_cell(strcmp(t->family, "Data Transfer") == 0 ? "AWSDataTransfer" : t->code);
    o->usage_type = csv_cell(text_format("%s%s", where->prefix, t->usage_type));
    o->operation = csv_cell(t->operation);
    o->unit = csv_cell(t->unit);
    o->description = csv_cell(place_into(t->description, where->place));
    o->free_description = csv_cell(text_format("$0.00 per %s under monthly free tier, %s", t->unit, where->place));
    o->tax_description = csv_cell(text_format("Tax for product code %s", t->code));
    o->family = csv_cell(t->family);
    o->region = slice_of(where->code);
    o->location = csv_cell(where->place);
    o->location_type = slice_of("AWS Region");
    o->az = slice_of(t->resource == RESOURCE_INSTANCE ? text_format("%sa", where->code) : "");
    o->sku = slice_of(sku);
    o->rate_code = slice_of(text_format("%s.JRTCKXETXF.6YS6EN2CT7", sku));
    o->rate_id =
        slice_of(text_format("%llu", (unsigned long long)(10000000000ULL + mix2(number, region) % 9000000000ULL)));
    int spot = strncmp(t->usage_type, "SpotUsage", 9) == 0;
    o->term = slice_of(spot ? "Spot" : "OnDemand");
    fill_product(o, t);
    o->product_map = csv_json_map("product_name", t->name, "region", where->code, "servicename", t->name,
                                  "instance_family", t->instance_family, "vcpu", t->vcpu, "memory", t->memory,
                                  "operating_system", o->operating_system.p, "group", o->group.p, "availability",
                                  o->availability.p, "volume_type", o->volume_type.p, (const char *)NULL);
    o->arn_head = t->resource == RESOURCE_ARN
                      ? text_format("arn:aws%s:%s:%s:", region == 4 ? "-cn" : "", t->arn_service, where->code)
                      : "";
    o->arn_tail = t->arn_tail;
    /* Regions differ in price by 0, 8, 15, 10 and 40 percent; the rate keeps ten decimals. */
    static const int64_t surcharge[REGION_COUNT] = {100, 108, 115, 110, 140};
    o->rate = dec10_scale(t->rate, surcharge[region], 100);
    o->list_rate = spot ? 0 : o->rate;
}

static void build_special(struct offer *o, const char *code, const char *name, const char *usage_type,
                          const char *operation, const char *unit, const char *description)
{
    *o = (struct offer){.code = code, .quantity = QUANTITY_TINY};
    struct slice none = slice_of("");
    struct slice *all[] = {&o->family,
                           &o->region,
                           &o->location,
                           &o->location_type,
                           &o->az,
                           &o->sku,
                           &o->rate_code,
                           &o->rate_id,
                           &o->term,
                           &o->instance_type,
                           &o->instance_family,
                           &o->vcpu,
                           &o->memory,
                           &o->operating_system,
                           &o->tenancy,
                           &o->storage_class,
                           &o->volume_type,
                           &o->availability,
                           &o->durability,
                           &o->group,
                           &o->transfer_type,
                           &o->to_location,
                           &o->to_region};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        *all[i] = none;
    o->product_code = csv_cell(code);
    o->product_name = csv_cell(name);
    o->service_code = csv_cell(code);
    o->usage_type = csv_cell(usage_type);
    o->operation = csv_cell(operation);
    o->unit = csv_cell(unit);
    o->description = o->free_description = csv_cell(description);
    o->tax_description = csv_cell(text_format("Tax for product code %s", code));
    o->product_map = csv_json_map("product_name", name, (const char *)NULL);
    o->arn_head = o->arn_tail = "";
}

void offers_build(struct offer usage[OFFER_COUNT], struct offer special[SPECIAL_COUNT])
{
    for (unsigned region = 0; region < REGION_COUNT; region++)
        for (unsigned number = 0; number < TEMPLATE_COUNT; number++)
            build_offer(&usage[region * TEMPLATE_COUNT + number], number, region);
    // clang-format off
    static const struct {
        const char *code, *name, *usage_type, *operation, *unit, *description;
    } s[SPECIAL_COUNT] = {
        [SPECIAL_REGISTRAR] = {"AmazonRegistrar", "Amazon Registrar", "RegisterDomain", "RegisterDomain", "Dollar", "Registration of example-shop.de"},
        [SPECIAL_REINVENT] = {"AWSEvents", "AWS Events", "reInvent-FullPass", "Purchase", "Passes", "AWS re:Invent full conference pass"},
        [SPECIAL_CAPACITY_BLOCK] = {"AmazonEC2", "Amazon Elastic Compute Cloud", "USE2-CapacityBlockFee:p5.48xlarge", "RunInstances", "Hrs", "p5.48xlarge Capacity Block upfront fee, US East (Ohio)"},
        [SPECIAL_MARKETPLACE_USAGE] = {"7hn2kqvm2x9c5t4wz8dy3bfrj", "Hardened Linux (Example Software, LLC)", "SoftwareUsage:m5.large", "Hourly", "Hrs", "AWS Marketplace software usage|us-east-1|m5.large"},
        [SPECIAL_MARKETPLACE_CONTRACT] = {"3pwq9v7ktz6n1m8xhy5dcr2bs", "Contact Center Telecommunications (service sold by AMCS, LLC)", "Global-SoftwareUsage-Contracts", "Contract", "Units", "AWS Marketplace hourly software usage, 12 months contract"},
        [SPECIAL_SUPPORT_BUSINESS] = {"AWSSupportBusiness", "AWS Support (Business)", "Dollar", "", "Dollar", "10% of monthly AWS usage for the first $0-$10K"},
        [SPECIAL_SUPPORT_DEVELOPER] = {"AWSDeveloperSupport", "AWS Developer Support", "Dollar", "", "Dollar", "AWS Support (Developer), greater of $29 or 3% of usage"},
        [SPECIAL_SUPPORT_PREMIUM] = {"OCBPremiumSupport", "AWS Premium Support", "OCBPremiumSupport", "", "", "Out-of-cycle charge, AWS Premium Support"},
        [SPECIAL_SUPPORT_ENTERPRISE] = {"AWSSupportEnterprise", "AWS Support (Enterprise)", "Dollar", "", "Dollar", "AWS Support (Enterprise)"},
        [SPECIAL_SAVINGS_PLAN] = {"ComputeSavingsPlans", "Savings Plans for AWS Compute usage", "ComputeSP:1yrNoUpfront", "", "Hrs", "1 year No Upfront Compute Savings Plan"},
        [SPECIAL_KIRO] = {"Kiro", "Kiro", "USE1-Kiro-Pro-Seat", "Subscription", "Seat-Month", "$20.00 per Kiro Pro seat per month, flat rate"},
    };
    // clang-format on
    for (unsigned i = 0; i < SPECIAL_COUNT; i++)
        build_special(&special[i], s[i].code, s[i].name, s[i].usage_type, s[i].operation, s[i].unit, s[i].description);
}
