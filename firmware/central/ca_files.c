/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/central/ca_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int join(const char *folder, const char *name, const char *end, char ret_path[PATH_MAX])
{
    int length = snprintf(ret_path, PATH_MAX, "%s/%s%s", folder, name, end);

    return length < 0 || length >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* What a folder says of its files is on the disk only after this. */
static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

    if (fd < 0)
        return -errno;
    if (fsync(fd) < 0)
        r = -errno;
    (void)close(fd);
    return r;
}

int ca_folder_lock(const char *path, int *ret_fd)
{
    char file[PATH_MAX];
    int fd, r = join(path, "lock", "", file);

    if (r < 0)
        return r;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR) {
            r = -errno;
            (void)close(fd);
            return r;
        }
    *ret_fd = fd;
    return 0;
}

/* -- reading ----------------------------------------------------------------------------------------------------------- */

static int read_whole(int fd, bool secret, char **ret_text)
{
    struct stat status;
    char *text;
    size_t length = 0;
    ssize_t n = 1;

    if (fstat(fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (secret && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return -EPERM;
    text = calloc(1, CA_FILE_OCTETS_MAX + 1);
    if (!text)
        return -ENOMEM;
    while (n != 0 && length < CA_FILE_OCTETS_MAX) {
        n = read(fd, text + length, CA_FILE_OCTETS_MAX - length);
        if (n < 0 && errno != EINTR) {
            int r = -errno;

            ca_text_free(text);
            return r;
        }
        length += n > 0 ? (size_t)n : 0;
    }
    if (length == CA_FILE_OCTETS_MAX) {
        ca_text_free(text);
        return -EFBIG;
    }
    *ret_text = text;
    return 0;
}

int ca_file_read(const char *folder, const char *name, bool secret, char **ret_text)
{
    char path[PATH_MAX];
    int fd, r = join(folder, name, "", path);

    if (r < 0)
        return r;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    r = read_whole(fd, secret, ret_text);
    (void)close(fd);
    return r;
}

void ca_text_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* -- writing ----------------------------------------------------------------------------------------------------------- */

static int write_whole(const char *path, const char *text)
{
    size_t length = strlen(text), done = 0;
    int fd, r = 0;

    if (unlink(path) < 0 && errno != ENOENT)
        return -errno;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (r == 0 && done < length) {
        ssize_t n = write(fd, text + done, length - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno != EINTR)
            r = -errno;
    }
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

int ca_file_write(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    int r = join(folder, name, "", path);

    if (r == 0)
        r = join(folder, name, ".new", fresh);
    if (r == 0)
        r = write_whole(fresh, text);
    if (r < 0)
        return r;
    if (rename(fresh, path) < 0) {
        r = -errno;
        (void)unlink(fresh);
        return r;
    }
    return sync_folder(folder);
}

int ca_folder_make(const char *parent, const char *name, const struct ca_file *files, size_t count)
{
    char path[PATH_MAX], fresh[PATH_MAX], file[PATH_MAX];
    int r = join(parent, name, "", path);

    if (r == 0)
        r = join(parent, name, ".new", fresh);
    if (r < 0)
        return r;
    if (ca_folder_is_there(parent, name))
        return -EEXIST;
    if (mkdir(fresh, 0700) < 0 && errno != EEXIST)   /* one that a power cut left half done is filled anew */
        return -errno;
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = join(fresh, files[i].name, "", file);
        if (r == 0)
            r = write_whole(file, files[i].text);
    }
    if (r == 0)
        r = sync_folder(fresh);
    if (r == 0 && rename(fresh, path) < 0)
        r = -errno;
    return r < 0 ? r : sync_folder(parent);
}

bool ca_folder_is_there(const char *parent, const char *name)
{
    char path[PATH_MAX];
    struct stat status;

    return join(parent, name, "", path) == 0 && (lstat(path, &status) == 0 || errno != ENOENT);
}
