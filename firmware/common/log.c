/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/common/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static size_t escape(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (; *text != '\0' && used + 5 < size; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(ret + used, size - used, "\\x%02x", c);
        else
            ret[used++] = (char)c;
    }
    return used;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const words[] = { [LOG_ERROR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_NOTICE] = "", [LOG_INFO] = "" };
    char text[LINE_MAX_BYTES], line[2 * LINE_MAX_BYTES];
    size_t used;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (getenv("JOURNAL_STREAM") != NULL) {
        used = (size_t)snprintf(line, sizeof line, "<%d>%s", (int)level, words[level]);
    } else {
        struct timespec now;
        struct tm tm;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)localtime_r(&now.tv_sec, &tm);
        used = strftime(line, sizeof line, "%H:%M:%S", &tm);
        used += (size_t)snprintf(line + used, sizeof line - used, ".%03ld %s", now.tv_nsec / 1000000, words[level]);
    }
    used += escape(text, line + used, sizeof line - used - 2);
    line[used++] = '\n';
    /* One write: records of threads do not mix. A log that cannot be written has nowhere to say so. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}
