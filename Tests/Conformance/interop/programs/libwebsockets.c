// libwebsockets. Prints what python_clients.py says: libwebsockets HOST PORT PATH [CA]
//
// It does not show the Close that answers its own, and nothing at all for an empty message.

#include <libwebsockets.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { limit_seconds = 15, capacity = 2 << 20 };

// One connection at a time.
static const char *thing;
static unsigned char sent[capacity], received[capacity];
static size_t sent_count, length, received_count;
static bool is_binary, is_done, is_right;

// As in things.py.
static void prepare(void) {
        sent_count = received_count = 0;
    is_binary = !strcmp(thing, "bin1m");
    is_done = is_right = false;
    if (!strcmp(thing, "ping")) {
        length = 125;
        memset(sent, 'p', length);
    } else if (!strcmp(thing, "text")) {
        length = 5;
        memcpy(sent, "Hello", length);
    } else if (!strcmp(thing, "unicode")) {
        length = 10;
        memcpy(sent, "\xce\xba \0\x7f \xf0\x9f\x98\x80", length);
    } else if (is_binary) {
        length = 1 << 20;
        for (size_t i = 0; i < length; i++) sent[i] = (unsigned char)(i * 31 + (i >> 8) * 7);
    } else {
        length = 70000;
        for (size_t i = 0; i < length; i++) sent[i] = (unsigned char)(97 + i % 26);
    }
}

// Sends the next part of the message, or the Ping: a copy of it, which lws_write masks where it lies.
static void write_part(struct lws *client) {
    size_t most = strcmp(thing, "frag") ? 16384 : 997;
    size_t count = length - sent_count < most ? length - sent_count : most;
    bool is_last = sent_count + count == length;
    int kind = sent_count ? LWS_WRITE_CONTINUATION
               : is_binary ? LWS_WRITE_BINARY
               : strcmp(thing, "ping") ? LWS_WRITE_TEXT : LWS_WRITE_PING;
    unsigned char *part = malloc(LWS_PRE + count);
    if (!part) exit(1);
    memcpy(part + LWS_PRE, sent + sent_count, count);
    lws_write(client, part + LWS_PRE, count,
              (enum lws_write_protocol)(kind | (is_last ? 0 : LWS_WRITE_NO_FIN)));
    free(part);
    sent_count += count;
    if (!is_last) lws_callback_on_writable(client);
}

static int callback(struct lws *client, enum lws_callback_reasons reason, void *user, void *data,
                    size_t count) {
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        lws_callback_on_writable(client);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (sent_count < length) write_part(client);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        is_right = count == length && !memcmp(data, sent, count);
        is_done = true;
        return -1;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (received_count + count > capacity) return -1;
        memcpy(received + received_count, data, count);
        received_count += count;
        if (!lws_is_final_fragment(client) || lws_remaining_packet_payload(client)) return 0;
        is_right = received_count == length && !memcmp(received, sent, length) &&
                   !!lws_frame_is_binary(client) == is_binary;
        is_done = true;
        return -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        is_done = true;
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "any", .callback = callback, .rx_buffer_size = 65536}, {.name = NULL}};
static const struct lws_extension extensions[] = {
    {"permessage-deflate", lws_extension_callback_pm_deflate,
     "permessage-deflate; client_max_window_bits"},
    {NULL, NULL, NULL}};

// `ca`: the file of the CA to trust; NULL for ws://.
static void attempt(const char *host, int port, const char *path, const char *ca) {
    struct lws_context_creation_info settings = {
        .port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols,
        .extensions = strcmp(thing, "deflate") ? NULL : extensions,
        .options = ca ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0, .client_ssl_ca_filepath = ca};
    struct lws_context *context = lws_create_context(&settings);
    struct lws_client_connect_info connection = {
        .context = context, .address = host, .port = port, .path = path, .host = host, .origin = host,
        .ssl_connection = ca ? LCCSCF_USE_SSL : 0};
    prepare();
    lws_client_connect_via_info(&connection);
    lws_usec_t deadline = lws_now_usecs() + limit_seconds * (lws_usec_t)1000000;
    while (!is_done && lws_now_usecs() < deadline) lws_service(context, 0);
    printf("%s\t%s\t%zu bytes came%s\n", thing, is_right ? "ok" : "FAIL", received_count,
           is_done ? "" : ", then nothing");
    fflush(stdout);
    lws_context_destroy(context);
}

int main(int count, char **arguments) {
    static const char *things[] = {
        "text", "unicode", "text70k", "bin1m", "frag", "ping", "deflate", "plain"};
    static const char *impossible[] = {"empty", "close1000", "close3000", "close4999"};
    if (count < 4 || count > 5) return 2;
    lws_set_log_level(0, NULL);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) printf("%s\t-\t\n", impossible[i]);
    for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
        thing = things[i];
        attempt(arguments[1], atoi(arguments[2]), arguments[3], count > 4 ? arguments[4] : NULL);
    }
    return 0;
}
