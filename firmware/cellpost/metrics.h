/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.h - one value out of a page of Prometheus metrics. */
#ifndef CELLPOST_CLI_METRICS_H
#define CELLPOST_CLI_METRICS_H

/* series: the name with its labels as the page writes them. 0 where the page has no such series; page may be NULL. */
double metrics_value(const char *page, const char *series);

#endif
