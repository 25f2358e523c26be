/* SPDX-License-Identifier: Apache-2.0
 *
 * faulty_memory.h - memory that runs out at the n-th allocation: of SQLite (its own allocator is replaced), or of the
 * program itself (the test is linked with --wrap: see tests/CMakeLists.txt), from whichever of its libraries.
 * Only between memory_fail() and memory_works(). */
#ifndef CELLPOST_FAULTY_MEMORY_H
#define CELLPOST_FAULTY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sqlite3.h>

enum memory_of { MEMORY_SQLITE, MEMORY_OWN, MEMORY_OWNERS };
enum memory_lack { MEMORY_ONCE, MEMORY_FOR_GOOD, MEMORY_LACKS };

static struct {
    bool armed;
    enum memory_of of;
    enum memory_lack lack;
    uint64_t count, fail_at, fired;
} memory;

static inline void memory_fail(enum memory_of of, enum memory_lack lack, uint64_t fail_at)
{
    memory.of = of;
    memory.lack = lack;
    memory.count = memory.fired = 0;
    memory.fail_at = fail_at;
    memory.armed = true;
}

/* True if an allocation failed since. */
static inline bool memory_works(void)
{
    memory.armed = false;
    return memory.fired > 0;
}

static bool memory_lacks(enum memory_of of)
{
    if (!memory.armed || memory.of != of)
        return false;
    memory.count++;
    if (memory.count < memory.fail_at || (memory.lack == MEMORY_ONCE && memory.count > memory.fail_at))
        return false;
    memory.fired++;
    return true;
}

/* -- of SQLite -------------------------------------------------------------------------------------------------- */

static sqlite3_mem_methods memory_sqlite;

static void *memory_sqlite_malloc(int size) { return memory_lacks(MEMORY_SQLITE) ? NULL : memory_sqlite.xMalloc(size); }
static void *memory_sqlite_realloc(void *old, int size)
{
    return memory_lacks(MEMORY_SQLITE) ? NULL : memory_sqlite.xRealloc(old, size);
}

/* Before the first call of SQLite. */
static inline int memory_set_up(void)
{
    sqlite3_mem_methods methods;

    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory_sqlite) != SQLITE_OK)
        return -1;
    methods = memory_sqlite;
    methods.xMalloc = memory_sqlite_malloc;
    methods.xRealloc = memory_sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK ? 0 : -1;
}

/* -- of the program ----------------------------------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size) { return memory_lacks(MEMORY_OWN) ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return memory_lacks(MEMORY_OWN) ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return memory_lacks(MEMORY_OWN) ? NULL : __real_realloc(old, size); }
char *__wrap_strdup(const char *text) { return memory_lacks(MEMORY_OWN) ? NULL : __real_strdup(text); }

#endif
