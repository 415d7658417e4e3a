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

// So are O_PATH, the flags and seals of memfd_create(2) and the parameters of mallopt(3).
static const unsigned linux_MFD_CLOEXEC = 1, linux_MFD_ALLOW_SEALING = 2;
static const int linux_F_ADD_SEALS = 1033;
static const int linux_F_SEAL_SEAL = 1, linux_F_SEAL_SHRINK = 2, linux_F_SEAL_GROW = 4;
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

// What tcp(7)'s TCP_INFO says of the other end. <linux/tcp.h> would define `tcp_info` a second time, so the fields are
// read from their places, which the kernel never changes.
struct linux_tcp_report {
    unsigned long long acknowledged_byte_count;
    unsigned milliseconds_since_acknowledgement;
    unsigned unacknowledged_segment_count;
    unsigned unanswered_probe_count;
    unsigned unsent_byte_count;
    unsigned window_byte_count;
};

// -1: no TCP socket, or a kernel that does not report all of this (before 5.4).
static inline int linux_tcp_report(int fd, struct linux_tcp_report *report) {
    unsigned char info[232];
    unsigned length = sizeof info;
    if (syscall(SYS_getsockopt, fd, /* IPPROTO_TCP */ 6, /* TCP_INFO */ 11, info, &length) != 0) return -1;
    if (length < sizeof info) return -1;
    report->unanswered_probe_count = info[3];
    __builtin_memcpy(&report->unacknowledged_segment_count, info + 24, 4);
    __builtin_memcpy(&report->milliseconds_since_acknowledgement, info + 56, 4);
    __builtin_memcpy(&report->acknowledged_byte_count, info + 120, 8);
    __builtin_memcpy(&report->unsent_byte_count, info + 144, 4);
    __builtin_memcpy(&report->window_byte_count, info + 228, 4);
    return 0;
}

// ioctl(2), which is variadic, for one that reports a number: bytes that were received and not read (FIONREAD), and
// bytes that were sent and not acknowledged (SIOCOUTQ). -1: not on this descriptor.
static inline int linux_ioctl_count(int fd, unsigned long request) {
    int count = 0;
    return syscall(SYS_ioctl, fd, request, &count) == 0 ? count : -1;
}
static inline int linux_unread_byte_count(int fd) { return linux_ioctl_count(fd, 0x541B); }
static inline int linux_unacknowledged_byte_count(int fd) { return linux_ioctl_count(fd, 0x5411); }

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
