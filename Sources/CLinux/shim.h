// What `import Glibc` leaves out of Linux: epoll, eventfd, signalfd and accept4.
#ifndef CLINUX_SHIM_H
#define CLINUX_SHIM_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

// glibc declares it under _GNU_SOURCE only, which would change types that Glibc declares too.
int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

#endif
