/* SPDX-License-Identifier: Apache-2.0
 *
 * log.h - one record, one line, on standard error. Under systemd with its priority in front, else with the time.
 *
 * What came from outside (texts, names of modems) may hold control bytes: they are written as \xNN. Any thread. */
#ifndef CELLPOST_LOG_H
#define CELLPOST_LOG_H

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
