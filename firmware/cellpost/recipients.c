/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpost/recipients.h"

#include "firmware/cellpost/memory.h"
#include "src/base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void recipients_done(struct recipients *recipients)
{
    for (size_t i = 0; i < recipients->count; i++)
        free(recipients->numbers[i]);
    free(recipients->numbers);
    *recipients = (struct recipients){ 0 };
}

int recipients_add(struct recipients *recipients, const char *number)
{
    if (recipients->count == RECIPIENTS_MAX)
        return -E2BIG;
    if (!utf8_is_valid(number, strlen(number), NULL))
        return -EILSEQ;
    if (recipients->numbers == NULL)
        recipients->numbers = memory_zero(RECIPIENTS_MAX, sizeof recipients->numbers[0]);
    recipients->numbers[recipients->count++] = memory_copy_text(number);
    return 0;
}

static char *trim(char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t length;

    text += strspn(text, blanks);
    length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    return text;
}

int recipients_read(struct recipients *recipients, FILE *file, unsigned *ret_line)
{
    char line[RECIPIENT_LINE_MAX];

    for (*ret_line = 1; fgets(line, sizeof line, file) != NULL; (*ret_line)++) {
        char *text = line;
        size_t length = strlen(line);
        int r;

        if (length + 1 == sizeof line && line[length - 1] != '\n')
            return -EMSGSIZE;
        if (*ret_line == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0)
            text += 3;
        text[strcspn(text, "#")] = '\0';
        text = trim(text);
        if (text[0] == '\0')
            continue;
        r = recipients_add(recipients, text);
        if (r < 0)
            return r;
    }
    return ferror(file) ? -EIO : 0;
}
