/* Streams over memory, gzip and zip built in memory, and small reports. */
#ifndef TEST_CUR_SUPPORT_H
#define TEST_CUR_SUPPORT_H

#include "base/base/buffer.h"
#include "billing/cur/reader.h"

#include <stddef.h>
#include <stdint.h>

/* xorshift64*: the same numbers everywhere. */
typedef struct test_random {
    uint64_t state;
} test_random;
uint64_t test_next(test_random *random);
uint32_t test_below(test_random *random, uint32_t limit);

/* Copies `data`. `most`: bytes of one read, 0 for no limit; with `random`, a random number up to `most`. */
cm_stream *test_stream(const void *data, size_t length, size_t most, uint64_t seed);
/* Fails with RETRY after `length` bytes. */
cm_stream *test_failing_stream(const void *data, size_t length);
/* The number of open streams. */
int test_open_streams(void);

/* Appends one gzip member to `into`. */
void test_gzip(cm_buffer *into, const void *data, size_t length);
/* A zip archive in a temporary file: returns its path (caller removes and frees). names/texts end with NULL. */
char *test_zip(const char *const *names, const char *const *texts, const char *password, bool stored);

/* --- reports ----------------------------------------------------------------------------------------------------- */

#define PAYER "111122223333"
#define HEADER                                                                                                         \
    "identity/LineItemId,bill/InvoiceId,bill/BillingEntity,bill/PayerAccountId,bill/BillingPeriodStartDate,"           \
    "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/ProductCode,lineItem/UsageType,"   \
    "lineItem/Operation,lineItem/UsageAmount,lineItem/CurrencyCode,lineItem/UnblendedCost,lineItem/"                   \
    "LineItemDescription,"                                                                                             \
    "product/region,product/regionCode,product/sku,pricing/publicOnDemandCost,pricing/unit,reservation/ReservationARN"
#define PERIOD_START "2025-06-01T00:00:00.000Z"
/* A row that is right in every field; REST begins with the usage start. */
#define ROW_START "id1,,AWS," PAYER "," PERIOD_START ",444455556666,Usage,"
#define ROW                                                                                                            \
    ROW_START "2025-06-03T04:00:00.000Z,AmazonEC2,BoxUsage:m5.large,RunInstances,1.0,USD,0.096,\"$0.096 per, "         \
              "hour\",eu-west-1,eu-west-1,ABC,0.1,Hrs,"

/* A reader of these bytes, in reads of `most` bytes. */
cm_reader *test_reader(const char *text, size_t length, size_t most, cm_place *place, cm_error *err);

/* Reads all; the number of lines, or -1 with the error. */
int64_t test_read_all(const char *text, size_t length, size_t most, cm_place *place, cm_error *err);

#endif
