/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/cellpostd/hardware.h"

#include <fcntl.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The nearest to the board first; the last is of the installation and goes along with a copy of the disk. line: the value of this
 * line ("Serial : ..."), not the whole file. */
static const struct { const char *kind, *path, *line; } sources[] = {
    { "devicetree", "/sys/firmware/devicetree/base/serial-number", NULL },
    { "cpuinfo", "/proc/cpuinfo", "Serial" },
    { "dmi", "/sys/class/dmi/id/product_uuid", NULL },
    { "dmi-board", "/sys/class/dmi/id/board_serial", NULL },
    { "machine-id", "/etc/machine-id", NULL },
};

#define FILE_OCTETS_MAX 65536

static char *line_value(char *text, const char *name)
{
    for (char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line = line != NULL ? line + 1 : NULL)
        if (strncmp(line, name, strlen(name)) == 0) {
            char *value = strchr(line, ':');

            return value != NULL && value < line + strcspn(line, "\n") ? value + 1 : NULL;
        }
    return NULL;
}

/* What is the same on many machines names none of them. */
static int says_nothing(const char *value)
{
    static const char *const fillers[] = { "", "None", "Not Specified", "Default string", "To be filled by O.E.M.", "System Serial Number" };

    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++)
        if (strcmp(fillers[i], value) == 0)
            return 1;
    return strspn(value, "0-") == strlen(value) || strspn(value, "fF-") == strlen(value);
}

static char *trimmed(char *value)
{
    value += strspn(value, " \t");
    value[strcspn(value, "\r\n")] = '\0';
    for (size_t length = strlen(value); length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'); length--)
        value[length - 1] = '\0';
    return value;
}

const char *hardware_fingerprint(const char *root, uint8_t ret_fingerprint[SHA256_OCTETS])
{
    static char text[FILE_OCTETS_MAX];
    char path[512], named[256];

    memset(ret_fingerprint, 0, SHA256_OCTETS);
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        ssize_t length;
        char *value;
        int fd;

        (void)snprintf(path, sizeof path, "%s%s", root, sources[i].path);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        length = read(fd, text, sizeof text - 1);
        (void)close(fd);
        text[length > 0 ? length : 0] = '\0';
        value = sources[i].line != NULL ? line_value(text, sources[i].line) : text;
        if (value == NULL || says_nothing(value = trimmed(value)))
            continue;
        (void)snprintf(named, sizeof named, "%s:%.200s", sources[i].kind, value);
        if (gnutls_hash_fast(GNUTLS_DIG_SHA256, named, strlen(named), ret_fingerprint) == 0)
            return sources[i].path;
    }
    return NULL;
}
