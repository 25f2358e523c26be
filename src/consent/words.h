/* SPDX-License-Identifier: Apache-2.0
 *
 * words.h - whether an incoming text is somebody's wish to get no more messages, or to get them again.
 *
 * It is one where the whole text is one of the words, in any case, alone: blanks around it, quotation marks around it and
 * punctuation behind it do not count. "Please stop by at nine" is none.
 * Ownership: texts are borrowed. Case is folded for ASCII alone; what else a word has must be written as it comes. */
#ifndef CELLPOST_CONSENT_WORDS_H
#define CELLPOST_CONSENT_WORDS_H

#include <stddef.h>

#define CONSENT_WORD_MAX 32              /* octets, with the NUL */

enum consent { CONSENT_NONE = 0, CONSENT_STOP, CONSENT_START };

/* Words beside those that are built in, of the operator's language. */
struct consent_words {
    const char *const *stop; size_t stop_count;
    const char *const *start; size_t start_count;
};

/* own may be NULL. A word that is on both sides means stop. ret_word: the word as it came, ASCII letters in capitals; ""
 * where it is none. */
enum consent consent_read(const struct consent_words *own, const char *text, size_t length, char ret_word[CONSENT_WORD_MAX]);

#endif
