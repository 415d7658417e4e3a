// What `import Glibc` leaves out of Linux: epoll, eventfd, signalfd, timerfd, accept4, openat2, pidfds and what
// posix_spawn has beyond POSIX. It includes no header that Glibc has too: a constant would then belong to this module,
// and every file that names it would have to import this one.
#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

#include <linux/openat2.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

// glibc declares these under _GNU_SOURCE only, or where types are that Glibc declares too.
int pipe2(int ends[2], int flags);
int timerfd_create(int clock, int flags);
int malloc_trim(size_t kept);
int mallopt(int parameter, int value);
int memfd_create(const char *name, unsigned flags);
int posix_spawn_file_actions_addchdir_np(void *actions, const char *path);
int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);
long syscall(long number, ...);

// So are O_PATH and the parameters of mallopt(3).
static const int linux_O_PATH = 010000000;
static const int linux_M_TRIM_THRESHOLD = -1;
static const int linux_M_MMAP_THRESHOLD = -3;

// accept4(2) for any `sockaddr`.
static inline int linux_accept4(int fd, void *address, unsigned *length, int flags) {
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

// glibc has no wrapper for openat2(2), and one for pidfd_open(2) since 2.36 only.
static inline int linux_openat2(int folder, const char *path, unsigned long flags, unsigned long resolve) {
    struct open_how how = {.flags = flags, .mode = 0, .resolve = resolve};
    return (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
}

static inline int linux_pidfd_open(int pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

// fork(2), which Glibc has as unavailable: only for a process that has one thread.
static inline int linux_fork(void) {
    extern int fork(void);
    return fork();
}

// timerfd_settime(2) to a moment of its clock. <sys/timerfd.h> would make `timespec` a type of this module.
static inline int linux_timerfd_set(int fd, long long nanoseconds) {
    struct __kernel_itimerspec value = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000},
    };
    return (int)syscall(SYS_timerfd_settime, fd, /* TFD_TIMER_ABSTIME */ 1, &value, (void *)0);
}

// memmem(3), which glibc declares under _GNU_SOURCE only.
void *memmem(const void *bytes, size_t count, const void *word, size_t length);
static inline const void *linux_memmem(const void *bytes, size_t count, const void *word, size_t length) {
    return memmem(bytes, count, word, length);
}

// Has the processor fetch what lies there, without waiting for it.
static inline void linux_prefetch(const void *place) {
    __builtin_prefetch(place);
}

#endif
