/* SPDX-License-Identifier: Apache-2.0 */
#include "src/sms/sms_downgrade.h"

#include <stddef.h>

/* Ordered by code point. */
static const struct { uint16_t code_point; char plain[SMS_DOWNGRADE_BYTES_MAX + 1]; } replacements[] = {
    { 0x0009, " " },     /* tab */
    { 0x000B, "\n" },    /* vertical tab */
    { 0x0060, "'" },     /* backtick */
    { 0x0085, "\n" },    /* next line */
    { 0x00A0, " " },     /* no-break space */
    { 0x00A6, "|" },     /* broken bar */
    { 0x00A9, "(C)" },   /* copyright sign */
    { 0x00AB, "\"" },    /* left guillemet */
    { 0x00AD, "" },      /* soft hyphen */
    { 0x00AE, "(R)" },   /* registered sign */
    { 0x00B4, "'" },     /* acute accent used as an apostrophe */
    { 0x00B7, "-" },     /* middle dot */
    { 0x00B8, "," },     /* cedilla used as a comma */
    { 0x00BB, "\"" },    /* right guillemet */
    { 0x00D7, "x" },     /* multiplication sign */
    { 0x02B9, "'" },     /* modifier prime */
    { 0x02BA, "\"" },    /* modifier double prime */
    { 0x02BB, "'" },     /* modifier turned comma */
    { 0x02BC, "'" },     /* modifier apostrophe */
    { 0x02C6, "^" },     /* modifier circumflex */
    { 0x02DC, "~" },     /* small tilde */
    { 0x2000, " " },     /* en quad */
    { 0x2001, " " },     /* em quad */
    { 0x2002, " " },     /* en space */
    { 0x2003, " " },     /* em space */
    { 0x2004, " " },     /* three-per-em space */
    { 0x2005, " " },     /* four-per-em space */
    { 0x2006, " " },     /* six-per-em space */
    { 0x2007, " " },     /* figure space */
    { 0x2008, " " },     /* punctuation space */
    { 0x2009, " " },     /* thin space */
    { 0x200A, " " },     /* hair space */
    { 0x200B, "" },      /* zero width space */
    { 0x2010, "-" },     /* hyphen */
    { 0x2011, "-" },     /* no-break hyphen */
    { 0x2012, "-" },     /* figure dash */
    { 0x2013, "-" },     /* en dash */
    { 0x2014, "-" },     /* em dash */
    { 0x2015, "-" },     /* horizontal bar */
    { 0x2018, "'" },     /* left single quote */
    { 0x2019, "'" },     /* right single quote, apostrophe */
    { 0x201A, "'" },     /* low single quote */
    { 0x201B, "'" },     /* reversed single quote */
    { 0x201C, "\"" },    /* left double quote */
    { 0x201D, "\"" },    /* right double quote */
    { 0x201E, "\"" },    /* low double quote */
    { 0x201F, "\"" },    /* reversed double quote */
    { 0x2022, "-" },     /* bullet */
    { 0x2023, "-" },     /* triangular bullet */
    { 0x2024, "." },     /* one dot leader */
    { 0x2025, ".." },    /* two dot leader */
    { 0x2026, "..." },   /* ellipsis */
    { 0x2028, "\n" },    /* line separator */
    { 0x2029, "\n" },    /* paragraph separator */
    { 0x202F, " " },     /* narrow no-break space */
    { 0x2032, "'" },     /* prime */
    { 0x2033, "\"" },    /* double prime */
    { 0x2035, "'" },     /* reversed prime */
    { 0x2036, "\"" },    /* reversed double prime */
    { 0x2039, "<" },     /* left single guillemet */
    { 0x203A, ">" },     /* right single guillemet */
    { 0x2043, "-" },     /* hyphen bullet */
    { 0x2044, "/" },     /* fraction slash */
    { 0x205F, " " },     /* mathematical space */
    { 0x2060, "" },      /* word joiner */
    { 0x2122, "(TM)" },  /* trade mark sign */
    { 0x2190, "<-" },    /* leftwards arrow */
    { 0x2192, "->" },    /* rightwards arrow */
    { 0x2212, "-" },     /* minus sign */
    { 0x2215, "/" },     /* division slash */
    { 0x2219, "-" },     /* bullet operator */
    { 0x2223, "|" },     /* divides */
    { 0x223C, "~" },     /* tilde operator */
    { 0x25AA, "-" },     /* small black square */
    { 0x25CF, "-" },     /* black circle */
    { 0x25E6, "-" },     /* white bullet */
    { 0x3000, " " },     /* ideographic space */
    { 0xFB00, "ff" },    /* ligatures */
    { 0xFB01, "fi" },
    { 0xFB02, "fl" },
    { 0xFB03, "ffi" },
    { 0xFB04, "ffl" },
    { 0xFEFF, "" },      /* byte order mark */
};

const char *sms_downgrade_find(uint32_t code_point)
{
    size_t low = 0, high = sizeof replacements / sizeof replacements[0];

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (replacements[middle].code_point == code_point)
            return replacements[middle].plain;
        if (replacements[middle].code_point < code_point)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
