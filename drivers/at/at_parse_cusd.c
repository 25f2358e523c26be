/* SPDX-License-Identifier: Apache-2.0
 *
 * +CUSD, the line that holds whatever an operator wrote: quotes and line ends of the text are not those of the line. */
#include "drivers/at/at_parse.h"

#include <errno.h>
#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_blanks(const char *p)
{
    while (*p == ' ')
        p++;
    return p;
}

/* ",15" and nothing more: 0..255, or -1. An empty rest is none either. */
static int dcs_of(const char *rest)
{
    const char *p = skip_blanks(rest);
    int value = 0;

    if (*p != ',')
        return -1;
    p = skip_blanks(p + 1);
    if (!is_digit(*p))
        return -1;
    while (is_digit(*p) && value <= 255)
        value = value * 10 + (*p++ - '0');
    return *skip_blanks(p) == '\0' && value <= 255 ? value : -1;
}

/* The last quote closes, unless the text goes on behind it: then the closing one was lost, and all is text. */
static void take_quoted(const char *text, struct at_cusd *ret_cusd)
{
    const char *quote = strrchr(text, '"');
    const char *rest = quote != NULL ? skip_blanks(quote + 1) : "";

    ret_cusd->text = text;
    ret_cusd->length = strlen(text);
    if (quote == NULL || (*rest != '\0' && *rest != ','))
        return;
    ret_cusd->dcs = dcs_of(rest);
    if (*rest == '\0' || ret_cusd->dcs >= 0 || rest[1] == '\0')
        ret_cusd->length = (size_t)(quote - text);
}

/* E160: +CUSD: 0, 49B41C... A number behind a comma is the dcs only where digits of a packed text stand before it: "12,15" may
 * be money. */
static void take_bare(const char *text, struct at_cusd *ret_cusd)
{
    size_t hex = strspn(text, "0123456789ABCDEFabcdef");

    ret_cusd->text = text;
    ret_cusd->length = strlen(text);
    if (hex >= 8 && dcs_of(text + hex) >= 0) {
        ret_cusd->dcs = dcs_of(text + hex);
        ret_cusd->length = hex;
    }
}

int at_parse_cusd(const char *line, struct at_cusd *ret_cusd)
{
    struct at_cusd cusd = { .dcs = -1 };
    const char *p = line;

    if (strncmp(line, "+CUSD:", 6) != 0)
        return -EINVAL;
    p = skip_blanks(line + 6);
    if (!is_digit(*p))
        return -EINVAL;
    for (; is_digit(*p) && cusd.m < 100; p++)
        cusd.m = cusd.m * 10 + (*p - '0');
    p = skip_blanks(p);
    if (*p != '\0' && *p != ',')
        return -EINVAL;
    if (*p == ',') {
        p = skip_blanks(p + 1);
        if (*p == '"')
            take_quoted(p + 1, &cusd);
        else if (*p != '\0' && *p != ',')
            take_bare(p, &cusd);
    }
    *ret_cusd = cusd;
    return 0;
}
