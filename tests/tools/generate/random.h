/* Small seeded generator (splitmix64). A line of the report is a pure function of the seed and of its number. */
#ifndef GENERATE_RANDOM_H
#define GENERATE_RANDOM_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t mix64(uint64_t z)
{
    z += 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

static inline uint64_t mix2(uint64_t a, uint64_t b)
{
    return mix64(mix64(a) ^ (b * 0xD1342543DE82EF95ULL));
}

static inline struct rng rng_for(uint64_t seed, uint64_t number)
{
    return (struct rng){mix2(seed, number)};
}

static inline uint64_t rng_next(struct rng *r)
{
    r->state += 0x9E3779B97F4A7C15ULL;
    uint64_t z = r->state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

/* Uniform in [0, limit); limit > 0 and far below 2^32, so the bias does not matter here. */
static inline uint64_t rng_below(struct rng *r, uint64_t limit)
{
    return (uint64_t)(((unsigned __int128)rng_next(r) * limit) >> 64);
}

#endif
