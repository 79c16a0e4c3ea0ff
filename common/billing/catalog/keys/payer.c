/* Keys of Payer. */
#include "billing/catalog/keys/keys.h"

static const cm_key payer[CM_KEY_PAYER_COUNT] = {
    [CM_KEY_PAYER_KIND] = {"kind", true, NULL, "`Payer`", NULL, "the kind of this document", "Payer"},
    [CM_KEY_PAYER_ID] = {"id", true, "the 12 digits of the payer account", "12 digits in quotes (N16)", NULL,
                         "the AWS account that receives the bill", "\"111122223333\""},
    [CM_KEY_PAYER_LANE] = {"lane", true, "the distributor, as in the setting lanes",
                           "up to 40 small letters, digits and `-`", NULL,
                           "the distributor whose topics and workers handle it; one of the setting `lanes`", "{model}"},
    [CM_KEY_PAYER_MODEL] = {"model", true, "the payer model: how its distributor bills", "{models}", NULL,
                            "the payer model: how its distributor bills", "{model}"},
    [CM_KEY_PAYER_PAYER_KIND] = {"payer_kind", true, "one of the kinds of payers that the model knows", "{payer_kinds}",
                                 NULL, "which kind of payer it is in that model (P07, P08, P14)", "shared"},
    [CM_KEY_PAYER_RESELLER] = {"reseller", true, NULL, "id of a Reseller", NULL, "whose payer it is", "northwind"},
    [CM_KEY_PAYER_SOURCE] = {"source", false, NULL, "one of the mappings below", "none: `ingest --file` only",
                             "where its reports are found", "{type: folder, path: /data/cur/shared}"},
    [CM_KEY_PAYER_REPORTS] =
        {"reports", false, NULL, "list of texts, or the mapping below", "all that are found, for every month",
         "names of the reports or exports that count; needed where the source holds two for one month (`TWO_REPORTS`). "
         "The mapping also says for which months reports come (gate `DELIVERY_MISSING`)",
         "[hourly]"},
    [CM_KEY_PAYER_NONE] = {"none", false, NULL, "`true`", NULL,
                           "no reports come for this payer: the same as `reports: {none: true}`", "true"},
    [CM_KEY_PAYER_BUY_BOOK] =
        {"buy_book", false, NULL, "id of a PriceBook", "what AWS charges the payer",
         "what the reseller pays the distributor. Its rules may read `list` and `payer`, and have no tiers", "buying"},
    [CM_KEY_PAYER_COUNTRY] = {"country", false, NULL, "country", NULL,
                              "whose tax profile of the Distributor this payer must carry (T01, T03)", "AE"},
    [CM_KEY_PAYER_ACCESS] = {"access", false, NULL, "the mapping below", "AWS is not asked about this payer",
                             "how curmill reads its organization and its tax settings", NULL},
    [CM_KEY_PAYER_ROOT_EMAIL] =
        {"root_email", false, NULL, "e-mail address", NULL,
         "root address of the payer account, which `curmill account check` holds against the model's rule (P02)",
         "aws-root@example.com"},
    [CM_KEY_PAYER_ORGANIZATION] = {"organization", false, NULL, "`o-` and 10 to 32 lower-case letters or digits", NULL,
                                   "id of the organization that it manages in AWS", "o-abcdef1234"},
};
const cm_key_table cm_payer_keys = CM_KEY_TABLE("the document", "", payer);

static const cm_key reports[CM_KEY_REPORTS_COUNT] = {
    [CM_KEY_REPORTS_NAMES] = {"names", false, NULL, "list of texts", "all that are found",
                              "names of the reports or exports that count", "[daily]"},
    [CM_KEY_REPORTS_FROM] = {"from", false, NULL, "month", "they always came",
                             "the first month that has a report: no document waits for one of an earlier month",
                             "2025-03"},
    [CM_KEY_REPORTS_NONE] = {"none", false, NULL, "`true`", NULL,
                             "no reports come for this payer: no document waits for any", "true"},
};
const cm_key_table cm_reports_keys = CM_KEY_TABLE("reports", "reports", reports);

static const cm_key folder_source[] = {
    {"type", true, NULL, "`folder`", NULL, "reports are in a folder of this machine", "folder"},
    {"path", true, NULL, "text", NULL, "the folder; manifests are found at any depth", "/data/cur/shared"},
};
const cm_key_table cm_folder_source_keys = CM_KEY_TABLE("a folder", "source", folder_source);

static const cm_key s3_source[] = {
    {"type", true, NULL, "`s3`", NULL, "reports are in S3", "s3"},
    {"bucket", true, NULL, "text", NULL, "the bucket", "northwind-cur"},
    {"prefix", false, NULL, "text", "the whole bucket", "only keys below it are listed", "cur/"},
    {"region", false, NULL, "text", "as AWS's own tools find it", "region of the bucket", "eu-central-1"},
    {"role_arn", false, NULL, "ARN of a role", "the process's own credentials", "role to take for reading",
     "\"arn:aws:iam::444455556666:role/cur-reader\""},
    {"external_id", false, NULL, "text", NULL, "sent when the role is taken; only with `role_arn`", "CA-1234"},
    {"endpoint", false, NULL, "`http://` or `https://` address", "AWS", "another S3 service",
     "\"https://s3.eu-central-1.amazonaws.com\""},
};
const cm_key_table cm_s3_source_keys = CM_KEY_TABLE("S3", "source", s3_source);

static const cm_key access_keys[CM_KEY_ACCESS_COUNT] = {
    [CM_KEY_ACCESS_ROLE] = {"role_arn", true, "the role that curmill takes in the management account",
                            "ARN of a role of this payer's own account", NULL, "the role that curmill takes",
                            "\"arn:aws:iam::444455556666:role/curmill\""},
    [CM_KEY_ACCESS_EXTERNAL] = {"external_id", false, NULL, "2 or more of letters, digits and `_ + = , . @ : / -`",
                                NULL, "sent when the role is taken", "CA-1234"},
};
const cm_key_table cm_access_keys = CM_KEY_TABLE("access", "access", access_keys);
