/* SPDX-License-Identifier: Apache-2.0
 *
 * figures.h - what the benchmarks share: options, quantiles, what a process uses, the JSON they print. */
#ifndef CELLPOST_BENCH_FIGURES_H
#define CELLPOST_BENCH_FIGURES_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct figures_option { const char *name; unsigned *value; const char *help; };   /* --name NUMBER */

/* Ends the program with 2 where an option is not understood, with 0 after --help. The table ends with a NULL name. */
void figures_options(int argc, char **argv, const char *what, const struct figures_option *options);

/* Sorts the values; share 0.5 is the median. 0 without values. */
double figures_quantile(double *values, size_t count, double share);
/* {"p50", "p99", "max"} of values in microseconds, as milliseconds. */
json_t *figures_latency(double *values_us, size_t count);

uint64_t figures_cpu_us(pid_t pid);      /* CPU time of all its living threads */
json_t *figures_memory(pid_t pid);       /* KiB, from smaps: pss, rss, and how much of the pss is shared libraries */

/* Adds which machine it was and how loaded before, and prints the object on stdout. Steals it. */
void figures_print(const char *name, json_t *figures);

#endif
