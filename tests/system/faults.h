/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.h - the page of memory by which a test tells preload_faults.so, inside the daemon, what is to fail now, and reads
 * what did. It is a file, mapped by both and named by CELLPOST_FAULTS, so that it outlives a daemon that is killed. */
#ifndef CELLPOST_TESTS_FAULTS_H
#define CELLPOST_TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdint.h>

/* Calls on the files of the database. FAULT_SYNC: fsync and fdatasync; FAULT_TRUNCATE: ftruncate and posix_fallocate. */
enum fault_call { FAULT_WRITE, FAULT_PWRITE, FAULT_SYNC, FAULT_TRUNCATE, FAULT_CALLS };

struct faults {
    _Atomic int error[FAULT_CALLS];      /* errno they fail with; 0: they work */
    _Atomic uint64_t failed[FAULT_CALLS];
    _Atomic int64_t ahead_ms;            /* the wall clock is so far ahead of the true one */
};

#endif
