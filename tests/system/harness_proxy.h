/* SPDX-License-Identifier: Apache-2.0
 *
 * harness_proxy.h - a network between a box and its account that cuts and delays. It sees octets of TLS and understands none.
 *
 * An answer that is cut after the request went through makes the box ask again: that is how requests come twice. */
#ifndef CELLPOST_TESTS_HARNESS_PROXY_H
#define CELLPOST_TESTS_HARNESS_PROXY_H

#include <stdbool.h>

enum proxy_mood {
    PROXY_PASSES,
    PROXY_TROUBLES,                          /* of each two connections about one is cut somewhere, or slow */
    PROXY_IS_AWAY,                           /* who connects is let go at once */
};

struct proxy;
struct proxy *proxy_new(void);               /* on a thread of its own; dies on failure */
void proxy_free(struct proxy *proxy);        /* accepts NULL */
unsigned proxy_port(const struct proxy *proxy);
/* To which ports of 127.0.0.1 connections go, in turn; 0: none there. */
void proxy_set_servers(struct proxy *proxy, unsigned first, unsigned second);
void proxy_set_mood(struct proxy *proxy, enum proxy_mood mood);
unsigned proxy_cuts(const struct proxy *proxy);

#endif
