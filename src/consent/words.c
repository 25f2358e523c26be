/* SPDX-License-Identifier: Apache-2.0 */
#include "src/consent/words.h"

#include <stdbool.h>
#include <string.h>

/* The words that people have learnt from operators' own notices in North America and Europe. TD: "to end". */
static const char *const stop_words[] = { "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REMOVE", "ARRET", "TD" };
static const char *const start_words[] = { "START", "UNSTOP", "YES" };

/* What phones and people put around a word: "Reply STOP" is answered with STOP, "STOP", STOP. or a typographic “STOP”. */
static const char *const around[] = {
    " ", "\t", "\r", "\n", "\"", "'", "\xC2\xA0" /* no-break space */, "\xE2\x80\x9C", "\xE2\x80\x9D", "\xE2\x80\x9E", "\xE2\x80\x98",
    "\xE2\x80\x99", "\xC2\xAB", "\xC2\xBB", NULL,
};
static const char *const behind[] = { ".", ",", "!", "?", ";", ":", "\xE2\x80\xA6" /* ... */, NULL };

static size_t begins_with(const char *text, size_t length, const char *const *pieces)
{
    for (; *pieces != NULL; pieces++)
        if (strlen(*pieces) <= length && memcmp(text, *pieces, strlen(*pieces)) == 0)
            return strlen(*pieces);
    return 0;
}

static size_t ends_with(const char *text, size_t length, const char *const *pieces)
{
    for (; *pieces != NULL; pieces++)
        if (strlen(*pieces) <= length && memcmp(text + length - strlen(*pieces), *pieces, strlen(*pieces)) == 0)
            return strlen(*pieces);
    return 0;
}

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;

        while (word[k] != '\0' && word[k] == capital(words[i][k]))
            k++;
        if (word[k] == '\0' && words[i][k] == '\0')
            return true;
    }
    return false;
}

enum consent consent_read(const struct consent_words *own, const char *text, size_t length, char ret_word[CONSENT_WORD_MAX])
{
    static const struct consent_words none = { NULL, 0, NULL, 0 };
    size_t n;

    if (own == NULL)
        own = &none;
    ret_word[0] = '\0';
    for (; (n = begins_with(text, length, around)) > 0; length -= n)
        text += n;
    while ((n = ends_with(text, length, around)) > 0 || (n = ends_with(text, length, behind)) > 0)
        length -= n;
    if (length == 0 || length >= CONSENT_WORD_MAX || memchr(text, '\0', length) != NULL)
        return CONSENT_NONE;
    for (size_t i = 0; i < length; i++)
        ret_word[i] = capital(text[i]);
    ret_word[length] = '\0';
    if (is_among(ret_word, stop_words, sizeof stop_words / sizeof *stop_words) || is_among(ret_word, own->stop, own->stop_count))
        return CONSENT_STOP;
    if (is_among(ret_word, start_words, sizeof start_words / sizeof *start_words) || is_among(ret_word, own->start, own->start_count))
        return CONSENT_START;
    ret_word[0] = '\0';
    return CONSENT_NONE;
}
