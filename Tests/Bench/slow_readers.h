/*
 * wsload --slow N: connections beside the measured ones that send as much as they can and read 2 KiB twenty
 * times a second, so that a server has replies waiting for each of them all the time.
 *
 * They are visited one at a time, spread over the period and without epoll, so that a turn costs the measured
 * connections no more than some microseconds.
 */
static struct slow_reader { int fd; size_t position; } *slow_readers;
static int slow_count, slow_next, slow_open_count;
static uint64_t slow_due_ns;
static uint8_t *slow_frame;
static size_t slow_frame_len;
#define SLOW_PAYLOAD 16384
#define SLOW_PERIOD_NS 50000000ull

static bool slow_connect(struct slow_reader *r, const char *host, int port, const char *path) {
    char text[1024];
    int size = 4096;
    struct timeval limit = {5, 0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &a.sin_addr);
    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&a, sizeof a)) return false;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     path, host, port);
    if (send(r->fd, text, (size_t)n, MSG_NOSIGNAL) != n) return false;
    size_t have = 0;
    while (have < sizeof text - 1) { /* nothing comes behind the answer before a message was sent */
        ssize_t got = recv(r->fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) return false;
        have += (size_t)got;
        text[have] = 0;
        if (strstr(text, "\r\n\r\n")) break;
    }
    fcntl(r->fd, F_SETFL, O_NONBLOCK);
    return !strncmp(text, "HTTP/1.1 101", 12);
}
static bool slow_start(int count, const char *host, int port, const char *path) {
    /* a binary frame whose masking key is zero */
    static const uint8_t header[8] = {0x82, 0x80 | 126, SLOW_PAYLOAD >> 8, SLOW_PAYLOAD & 255};
    slow_frame_len = sizeof header + SLOW_PAYLOAD;
    slow_frame = calloc(1, slow_frame_len);
    memcpy(slow_frame, header, sizeof header);
    slow_readers = calloc((size_t)count, sizeof *slow_readers);
    for (slow_count = 0; slow_count < count; slow_count++)
        if (!slow_connect(&slow_readers[slow_count], host, port, path)) return false;
    slow_open_count = slow_count;
    return true;
}
static void slow_turn(uint64_t now_ns) {
    if (!slow_count || now_ns < slow_due_ns) return;
    static uint8_t buffer[2048];
    struct slow_reader *r = &slow_readers[slow_next];
    slow_next = (slow_next + 1) % slow_count;
    slow_due_ns = now_ns + SLOW_PERIOD_NS / (uint64_t)slow_count;
    if (r->fd < 0) return;
    ssize_t got = recv(r->fd, buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) { /* sent away */
        close(r->fd);
        r->fd = -1;
        slow_open_count--;
        return;
    }
    for (int i = 0; i < 4; i++) {
        ssize_t sent = send(r->fd, slow_frame + r->position, slow_frame_len - r->position, MSG_NOSIGNAL);
        if (sent <= 0) return;
        r->position = (r->position + (size_t)sent) % slow_frame_len;
    }
}
