#ifndef TEST_BATCH_SUPPORT_H
#define TEST_BATCH_SUPPORT_H

#include "base/decimal/decimal.h"

#include <stdint.h>

/* xorshift64*: the same numbers everywhere. */
typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint64_t test_next(test_random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint32_t test_below(test_random *random, uint32_t limit)
{
    return (uint32_t)((test_next(random) >> 32) * limit >> 32);
}

/* All sizes, few and many decimals, both signs, sometimes the limits. */
static inline cm_decimal test_decimal(test_random *random, int scale)
{
    static const uint64_t tens[] = {1, 10, 1000, 100000000, 1000000000000000000};
    cm_i128 units = (cm_i128)((cm_u128)test_next(random) << 64 | test_next(random));
    units >>= test_below(random, 128);
    cm_u128 unit = 1;
    for (int i = scale; i < CM_DECIMAL_SCALE; i++)
        unit *= 10;
    units /= (cm_i128)tens[test_below(random, 5)];
    return (cm_decimal){units - units % (cm_i128)unit};
}

#endif
