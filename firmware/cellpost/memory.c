/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *memory_check(void *pointer)
{
    if (pointer == NULL) {
        fputs("cellpost: out of memory\n", stderr);
        exit(1);
    }
    return pointer;
}

void *memory_zero(size_t count, size_t size)
{
    return memory_check(calloc(count, size));
}

void *memory_resize(void *pointer, size_t count, size_t size)
{
    return memory_check(reallocarray(pointer, count, size));
}

char *memory_copy_text(const char *text)
{
    return memory_check(strdup(text));
}

char *memory_printf(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    return memory_check(n < 0 ? NULL : text);
}
