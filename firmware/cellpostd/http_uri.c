/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "firmware/cellpostd/http_internal.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As forms encode it: '+' is a blank. What is no encoding, and an encoded NUL, stays as it is. */
static void decode_in_place(char *text)
{
    char *out = text;

    for (const char *in = text; *in; in++) {
        int high = *in == '%' ? hex_value(in[1]) : -1;
        int low = high >= 0 ? hex_value(in[2]) : -1;
        if (low >= 0 && high * 16 + low != 0) {
            *out++ = (char)(high * 16 + low);
            in += 2;
        } else {
            *out++ = *in == '+' ? ' ' : *in;
        }
    }
    *out = '\0';
}

void http_uri_parse(const char *raw, struct http_uri *ret_uri)
{
    size_t length = strlen(raw);
    char *query, *rest;

    ret_uri->too_long = true;
    ret_uri->path = "/";
    ret_uri->parameter_count = 0;
    if (length >= sizeof ret_uri->text)
        return;
    memcpy(ret_uri->text, raw, length + 1);
    query = strchr(ret_uri->text, '?');
    if (query)
        *query++ = '\0';

    ret_uri->path = ret_uri->text;
    if (ret_uri->text[0] != '/') {   /* RFC 9112 3.2.2: absolute-form, as for a proxy */
        const char *authority = strstr(ret_uri->text, "://");
        const char *path = authority ? strchr(authority + 3, '/') : NULL;
        ret_uri->path = path ? path : "/";
    }
    for (rest = query; rest && *rest;) {
        char *name = strsep(&rest, "&"), *value;
        if (*name == '\0')
            continue;
        if (ret_uri->parameter_count == HTTP_PARAMETERS_MAX)
            return;
        value = strchr(name, '=');
        if (value) {
            *value++ = '\0';
            decode_in_place(value);
        }
        decode_in_place(name);
        ret_uri->parameters[ret_uri->parameter_count].name = name;
        ret_uri->parameters[ret_uri->parameter_count].value = value ? value : "";
        ret_uri->parameter_count++;
    }
    ret_uri->too_long = false;
}

bool http_host_is_good(const char *host, const char *const *names, size_t count)
{
    char name[256];
    unsigned char address[sizeof(struct in6_addr)];
    size_t length;

    if (host[0] == '[') {
        length = strcspn(++host, "]");
        if (host[length] == '\0')
            return false;
    } else {
        length = strcspn(host, ":");
    }
    if (length == 0 || length >= sizeof name)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1 || strcasecmp(name, "localhost") == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}
