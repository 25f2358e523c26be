/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/sms_words.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const alphabets[] = { [SMS_GSM7] = "gsm7", [SMS_8BIT] = "8bit", [SMS_UCS2] = "ucs2" };
static const char *const encodings[] = {
    [SMS_ENCODING_AUTO] = "auto", [SMS_ENCODING_GSM7] = "gsm7", [SMS_ENCODING_UCS2] = "ucs2",
};
static const char *const directions[] = {
    [SMS_DELIVER] = "deliver", [SMS_SUBMIT] = "submit", [SMS_STATUS_REPORT] = "status-report",
};
/* 3GPP TS 23.038 6.2.1.2.4: national language identifiers. */
static const char *const languages[] = {
    NULL, "tr", "es", "pt", "bn", "gu", "hi", "kn", "ml", "or", "pa", "ta", "te", "ur",
};

static bool find_word(const char *const *words, size_t count, const char *word, size_t length, size_t *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (words[i] != NULL && strlen(words[i]) == length && strncmp(words[i], word, length) == 0) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

const char *sms_words_alphabet(enum sms_alphabet alphabet)
{
    return alphabets[alphabet];
}

const char *sms_words_language(uint8_t language)
{
    return language < COUNT(languages) ? languages[language] : NULL;
}

const char *sms_words_direction(enum sms_direction direction)
{
    return directions[direction];
}

bool sms_words_parse_direction(const char *word, enum sms_direction *ret_direction)
{
    size_t index;

    if (!find_word(directions, COUNT(directions), word, strlen(word), &index))
        return false;
    *ret_direction = (enum sms_direction)index;
    return true;
}

bool sms_words_parse_encoding(const char *word, enum sms_encoding *ret_encoding)
{
    size_t index;

    if (!find_word(encodings, COUNT(encodings), word, strlen(word), &index))
        return false;
    *ret_encoding = (enum sms_encoding)index;
    return true;
}

bool sms_words_parse_national(const char *list, uint16_t *ret_national)
{
    uint16_t national = 0;

    for (;;) {
        size_t length = strcspn(list, ","), index;

        if (!find_word(languages, COUNT(languages), list, length, &index))
            return false;
        national |= (uint16_t)(1u << index);
        if (list[length] == '\0')
            break;
        list += length + 1;
    }
    *ret_national = national;
    return true;
}

bool sms_words_parse_number(const char *word, uint32_t max, uint32_t *ret_number)
{
    uint64_t number = 0;

    if (word[0] == '\0' || strspn(word, "0123456789") != strlen(word) || strlen(word) > 10)
        return false;
    for (; *word != '\0'; word++)
        number = number * 10 + (uint64_t)(*word - '0');
    if (number > max)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}
