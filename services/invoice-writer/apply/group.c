/* Items and chunks of a group, sorted by their identity. */
#include "apply/group.h"

#include <stdlib.h>

bool cm_apply_break(cm_apply *g, const char *run, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(g->broken_text, sizeof g->broken_text, format, arguments);
    va_end(arguments);
    g->broken_run = run;
    g->broken_code = code;
    return false;
}

#define ORDER_BY(a, b)                                                                                                 \
    do {                                                                                                               \
        if ((a) != (b))                                                                                                \
            return (a) < (b) ? -1 : 1;                                                                                 \
    } while (0)

static int by_identity(const void *a, const void *b)
{
    const cm_apply_item *x = a, *y = b;
    int order = strcmp(x->record->run, y->record->run);
    if (order)
        return order;
    ORDER_BY(x->chunk, y->chunk);
    ORDER_BY(x->batch == NULL, y->batch == NULL);
    if (x->batch && y->batch) {
        ORDER_BY(x->batch->sequence, y->batch->sequence);
        ORDER_BY(x->batch->shard, y->batch->shard);
    }
    ORDER_BY(x->record, y->record);
    return 0;
}

void cm_apply_list_items(cm_apply *g)
{
    g->items = cm_arena_alloc(g->arena, (g->count + 1) * sizeof *g->items);
    g->item_count = 0;
    for (size_t i = 0; i < g->count; i++) {
        const cm_rated *rated = g->records[i].rated;
        if (g->records[i].outcome != CM_APPLY_DONE)
            continue;
        g->items[g->item_count++] = (cm_apply_item){
            .record = &g->records[i],
            .batch = rated->is_end ? NULL : &rated->batch,
            .end = rated->is_end ? &rated->end : NULL,
            .chunk = rated->is_end ? rated->end.chunk : rated->batch.chunk,
        };
    }
    qsort(g->items, g->item_count, sizeof *g->items, by_identity);
    g->chunks = cm_arena_alloc(g->arena, (g->item_count + 1) * sizeof *g->chunks);
    g->chunk_count = 0;
    for (size_t i = 0; i < g->item_count; i++) {
        cm_apply_chunk *last = g->chunk_count ? &g->chunks[g->chunk_count - 1] : NULL;
        if (last && last->chunk == g->items[i].chunk && strcmp(last->run, g->items[i].record->run) == 0)
            last->last = i + 1;
        else
            g->chunks[g->chunk_count++] =
                (cm_apply_chunk){.run = g->items[i].record->run, .chunk = g->items[i].chunk, .first = i, .last = i + 1};
    }
}
