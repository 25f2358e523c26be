/* SPDX-License-Identifier: Apache-2.0
 *
 * preload_no_sync.c - a planted bug: a daemon that never waits for its disk. Its commits are lost by a power cut, and
 * scripts/powercut --no-sync must see that. */
int fsync(int fd);
int fdatasync(int fd);

int fsync(int fd)
{
    (void)fd;
    return 0;
}

int fdatasync(int fd)
{
    (void)fd;
    return 0;
}
