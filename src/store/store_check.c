/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/store_check.h"

#include <errno.h>

#include "src/store/count_vfs.h"
#include "src/store/schema.h"

struct check { bool (*read)(void *context, size_t bytes); void *context; bool given_up; };

static bool check_read(void *context, size_t bytes)
{
    struct check *check = context;

    check->given_up = check->given_up || !check->read(check->context, bytes);
    return !check->given_up;
}

int store_check(const char *path, const char *vfs, bool (*read)(void *context, size_t bytes), void *context, char *ret_error,
                size_t error_size)
{
    struct check check = { .read = read, .context = context };
    char detail[SCHEMA_DETAIL_SIZE] = "";
    struct count_vfs *count = NULL;
    struct sql sql = { .db = NULL };
    int r = count_vfs_new(vfs, &count);

    if (r < 0)
        return r;
    if (read != NULL)
        count_vfs_watch_reads(count, check_read, &check);
    r = schema_open(&sql, SCHEMA_READ, path, count_vfs_name(count), NULL, ret_error, error_size);
    if (r == 0) {
        r = schema_check(&sql, detail);
        if (r < 0)
            schema_explain(r, path, detail[0] != '\0' ? detail : sqlite3_errmsg(sql.db), ret_error, error_size);
        sql_close(&sql);
    }
    count_vfs_free(count);
    return check.given_up ? -EAGAIN : r;
}
