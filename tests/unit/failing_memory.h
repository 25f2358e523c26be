/* SPDX-License-Identifier: Apache-2.0
 *
 * failing_memory.h - allocations of our own code that fail when a test says so. Programs test_*_memory.c are linked with
 * --wrap=malloc,calloc,realloc (tests/CMakeLists.txt); what shared libraries allocate for themselves is not touched. */
#ifndef CELLPOST_TEST_FAILING_MEMORY_H
#define CELLPOST_TEST_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* 1: the next allocation fails, 2: the one after it...; 0: none. */
static size_t memory_fails_in;
static bool memory_failed;   /* it did; the test sets it back */

static bool memory_is_gone(void)
{
    if (memory_fails_in == 0 || --memory_fails_in != 0)
        return false;
    memory_failed = true;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) { return memory_is_gone() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return memory_is_gone() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return memory_is_gone() ? NULL : __real_realloc(old, size); }

#endif
