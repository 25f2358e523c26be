/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/common/central.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/hex.h"

#define DIGITS "0123456789"
#define HOST_OCTETS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._"
#define PORT_DIGITS_MAX 5

/* Of "host:port" and "[address]:port"; the length of what stands for the host, brackets and all. 0: it is none. */
static size_t host_length(const char *text)
{
    size_t length = *text == '[' ? strspn(text + 1, DIGITS "abcdefABCDEF:.") + 1 : strspn(text, HOST_OCTETS);

    if (*text == '[')
        return text[length] == ']' && length > 2 ? length + 1 : 0;
    return length;
}

static const char *place_wrong(const char *text, bool needs_port)
{
    size_t length = host_length(text), digits;
    const char *port = text + length;

    if (length == 0 || length >= CENTRAL_HOST_MAX)
        return "has no host name or address";
    if (*port == '\0' || strcmp(port, "/") == 0)
        return needs_port ? "has no port" : NULL;
    if (*port != ':')
        return "has something behind the host (a path, a user)";
    digits = strspn(++port, DIGITS);
    if (digits == 0 || digits > PORT_DIGITS_MAX || strtoul(port, NULL, 10) == 0 || strtoul(port, NULL, 10) > 65535)
        return "has a bad port";
    return port[digits] == '\0' || strcmp(port + digits, "/") == 0 ? NULL : "has something behind the port";
}

const char *central_url_wrong(const char *url)
{
    if (strlen(url) >= CENTRAL_URL_MAX)
        return "is too long";
    if (strncmp(url, "https://", 8) != 0)
        return "does not begin with https://";
    return place_wrong(url + 8, false);
}

const char *central_proxy_wrong(const char *url)
{
    static const char *const schemes[] = { "http://", "socks5h://", "socks5://" };

    if (strlen(url) >= CENTRAL_PROXY_MAX)
        return "is too long";
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0) {
            const char *text = url + strlen(schemes[i]), *at = strrchr(text, '@');

            return place_wrong(at != NULL ? at + 1 : text, true);
        }
    return "does not begin with http://, socks5:// or socks5h://";
}

void central_host(const char *url, char ret_host[CENTRAL_HOST_MAX])
{
    const char *text = url + strlen("https://");
    size_t length = host_length(text), skip = *text == '[' ? 1 : 0;

    length -= 2 * skip;
    memcpy(ret_host, text + skip, length);
    ret_host[length] = '\0';
}

bool central_pin_read(const char *text, uint8_t ret_pin[CENTRAL_PIN_OCTETS])
{
    char digits[CENTRAL_PIN_CHARS];
    uint8_t pin[CENTRAL_PIN_OCTETS];
    size_t count = 0;

    for (; *text != '\0'; text++) {
        if (*text == ':')
            continue;
        if (count == sizeof digits - 1)
            return false;
        digits[count++] = *text;
    }
    if (hex_decode(digits, count, pin, sizeof pin) != (int)sizeof pin)
        return false;
    memcpy(ret_pin, pin, sizeof pin);
    return true;
}
