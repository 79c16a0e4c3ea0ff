/* From a line to the texts of its cells. A renderer is used by one thread; a row is good until the next one is
 * rendered. */
#ifndef GENERATE_ROWS_H
#define GENERATE_ROWS_H

#include "columns.h"
#include "lines.h"

enum { TAG_SETS = 512, SCRATCH_SIZE = 4096 };

struct row {
    struct slice field[FIELD_COUNT]; /* ready CSV text; n 0: the column's empty text */
    char scratch[SCRATCH_SIZE];
    size_t used;
};

struct renderer {
    const struct month *month;
    unsigned version;
    bool final;
    struct slice invoice[8], type[TYPE_COUNT], period_start, period_end, next_period_start, ri_start, ri_end;
    struct slice environment[4], team[8], cost_center[16], created_by[8], tag_map[TAG_SETS], tag_map_full[TAG_SETS];
    struct slice plan_arn[PLAN_COUNT], reservation_arn[RESERVATION_COUNT], subscription[RESERVATION_COUNT];
    struct slice newline_text;
    int64_t cached_day;
    char cached_date[10];
};

void renderer_open(struct renderer *r, const struct month *m, unsigned version);

void render(struct renderer *r, const struct line *l, struct row *ret_row);

#endif
