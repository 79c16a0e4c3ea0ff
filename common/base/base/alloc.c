/* Allocation that never returns NULL: running out of memory ends the process with a message. */
#include "base/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(unsigned long bytes)
{
    fprintf(stderr, "out of memory: the system refused %lu bytes; give this process a higher memory limit\n", bytes);
    exit(71);
}

void *cm_alloc(unsigned long bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

void *cm_realloc(void *old, unsigned long bytes)
{
    void *memory = realloc(old, bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

char *cm_strdup(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (!copy)
        out_of_memory(bytes);
    memcpy(copy, text, bytes);
    return copy;
}
