/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/at/at_command.h"

#include <assert.h>
#include <string.h>

static void append(struct at_command *command, char c)
{
    if (command->length + 1u >= AT_COMMAND_SIZE) {
        command->spoiled = true;
        return;
    }
    command->text[command->length++] = c;
    command->text[command->length] = '\0';
}

static void begin_argument(struct at_command *command)
{
    if (command->arguments++ > 0)
        append(command, ',');
}

void at_command_init(struct at_command *command, const char *name, uint32_t timeout_ms)
{
    *command = (struct at_command){ .timeout_ms = timeout_ms };
    for (const char *p = name; *p != '\0'; p++) {
        assert((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7F);   /* a literal of ours */
        append(command, *p);
    }
    assert(!command->spoiled);
}

void at_command_add_int(struct at_command *command, long value)
{
    char digits[24];
    size_t count = 0;
    unsigned long rest = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;

    begin_argument(command);
    if (value < 0)
        append(command, '-');
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    while (count > 0)
        append(command, digits[--count]);
}

void at_command_add_string(struct at_command *command, const char *text)
{
    begin_argument(command);
    append(command, '"');
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == 0x7F || c == '"')
            command->spoiled = true;
        else
            append(command, *p);
    }
    append(command, '"');
}

void at_command_add_number(struct at_command *command, const char *digits)
{
    begin_argument(command);
    if (*digits == '\0')
        command->spoiled = true;
    for (const char *p = digits; *p != '\0'; p++) {
        if ((*p >= '0' && *p <= '9') || *p == '*' || *p == '#' || (*p == '+' && p == digits))
            append(command, *p);
        else
            command->spoiled = true;
    }
}
