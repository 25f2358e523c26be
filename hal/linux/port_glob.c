/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/linux/port_glob.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int take_paths(const glob_t *found, struct port_glob *ret_glob)
{
    struct port_glob glob_list = { NULL, 0 };

    glob_list.paths = calloc(found->gl_pathc + 1, sizeof *glob_list.paths);
    if (glob_list.paths == NULL)
        return -ENOMEM;
    if (found->gl_pathc > 0)
        qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, compare);
    for (size_t i = 0; i < found->gl_pathc; i++) {
        if (glob_list.count > 0 && strcmp(glob_list.paths[glob_list.count - 1], found->gl_pathv[i]) == 0)
            continue;
        if (glob_list.count == PORT_GLOB_PATHS_MAX) {
            port_glob_done(&glob_list);
            return -E2BIG;
        }
        glob_list.paths[glob_list.count] = strdup(found->gl_pathv[i]);
        if (glob_list.paths[glob_list.count] == NULL) {
            port_glob_done(&glob_list);
            return -ENOMEM;
        }
        glob_list.count++;
    }
    *ret_glob = glob_list;
    return 0;
}

int port_glob_expand(const char *patterns, struct port_glob *ret_glob)
{
    char copy[PORT_GLOB_PATTERN_BYTES_MAX], *rest = copy;
    glob_t found = { .gl_pathc = 0 };
    int flags = 0, r = 0;

    if (strlen(patterns) >= sizeof copy)
        return -E2BIG;
    memcpy(copy, patterns, strlen(patterns) + 1);
    for (const char *pattern; r == 0 && (pattern = strsep(&rest, " \t,")) != NULL;) {
        if (*pattern == '\0')
            continue;
        switch (glob(pattern, flags, NULL, &found)) {
        case 0: case GLOB_NOMATCH:
            break;
        case GLOB_NOSPACE:
            r = -ENOMEM;
            break;
        default:
            r = -EIO;
        }
        flags = GLOB_APPEND;
    }
    if (r == 0)
        r = take_paths(&found, ret_glob);
    if (flags != 0)
        globfree(&found);
    return r;
}

void port_glob_done(struct port_glob *glob_list)
{
    if (glob_list == NULL)
        return;
    for (size_t i = 0; i < glob_list->count; i++)
        free(glob_list->paths[i]);
    free(glob_list->paths);
    *glob_list = (struct port_glob){ NULL, 0 };
}
