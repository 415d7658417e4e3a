/*
 * wsload --broadcast and --topics: connection 0 publishes, the subscribers of the topic get it, and connection 0
 * is one of them where it subscribes to that topic.
 *
 * A message begins with the number of its topic and its own number, eight hex digits each. DEPTH messages are in
 * flight at most: one is, until its last subscriber has it. Those that may go out leave in one send(). Latency is
 * that of a delivery: from the publisher's send() to the receiver's recv(), which includes the time that this one
 * thread takes for the receivers before it.
 *
 * A message that comes twice, late, to the wrong connection, or never is an error.
 */
#define PUBLISH_WINDOW 65536 /* more than DEPTH */
#define PUBLISH_HEAD 16
#define PROBE 0xFFFFFFFFu /* the number of a message that asks who is subscribed */
#define LAST_PROBE 0xFFFFFFFEu

static uint32_t published, all_have; /* numbers: the next one, and the first that somebody lacks */
static uint32_t subscribers;         /* of each topic */
static uint32_t delivered[PUBLISH_WINDOW];
static uint64_t sent_at[PUBLISH_WINDOW];
static uint32_t *next_number; /* of each connection: the least that may come */
static bool *is_subscribed;   /* by connection: a probe came */
static int subscribed_count;
static uint32_t last_probes; /* deliveries */
static uint8_t *outgoing;
static size_t outgoing_len, outgoing_room;

static void put_hex(uint8_t *p, uint32_t v) {
    for (int i = 7; i >= 0; i--, v >>= 4) p[i] = (uint8_t)"0123456789abcdef"[v & 15];
}
static bool get_hex(const uint8_t *p, uint32_t *v) {
    *v = 0;
    for (int i = 0; i < 8; i++) {
        uint32_t digit = p[i] >= 'a' ? p[i] - 'a' + 10u : p[i] - (uint32_t)'0';
        if (digit > 15) return false;
        *v = *v << 4 | digit;
    }
    return true;
}
/* Compressed on its own, without the four bytes that each message ends with: the length, 0 if it does not fit. */
static size_t compress_alone(const uint8_t *in, size_t len, uint8_t *out, size_t room) {
#ifdef HAVE_ZLIB
    static z_stream z;
    if (!z.state) deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    else deflateReset(&z);
    z.next_in = (Bytef *)in; z.avail_in = (uInt)len;
    z.next_out = out; z.avail_out = (uInt)room;
    deflate(&z, Z_SYNC_FLUSH);
    return z.avail_out ? room - z.avail_out - 4 : 0;
#else
    (void)in; (void)len; (void)out; (void)room;
    return 0;
#endif
}
static void publish_put(uint32_t topic, uint32_t number) {
    static uint8_t *body;
    size_t room = O.size + 64 + O.size / 1000 * 6, len = O.size;
    if (!body) body = malloc(room);
    uint8_t first = 0x80 | (O.binary ? 2 : 1);
    put_hex(payload, topic);
    put_hex(payload + 8, number);
    if (negotiated_deflate) {
        len = compress_alone(payload, O.size, body, room);
        first |= 0x40;
    }
    if (outgoing_len + room + 14 > outgoing_room) {
        outgoing_room = (outgoing_room + room + 14) * 2;
        outgoing = realloc(outgoing, outgoing_room);
    }
    uint8_t *f = outgoing + outgoing_len;
    size_t h = put_header(f, first, len, C[0].mask);
    memcpy(f + h, negotiated_deflate ? body : payload, len);
    mask_bytes(f + h, len, C[0].mask);
    outgoing_len += h + len;
}
static void publish_flush(void) {
    size_t off = 0;
    uint64_t t0 = mono_ns();
    while (off < outgoing_len) { /* the publisher alone may wait for room, bounded in time */
        ssize_t w = xsend(&C[0], outgoing + off, outgoing_len - off);
        if (w > 0) off += (size_t)w;
        else if (errno != EAGAIN || mono_ns() - t0 > 5000000000ull) { fail(&C[0], "publisher"); break; }
    }
    outgoing_len = 0;
}
static void publish_turn(void) {
    if (C[0].state != OPEN || !sending_on || published - all_have >= (uint32_t)O.depth) return;
    uint64_t now = ticks();
    while (published - all_have < (uint32_t)O.depth) {
        delivered[published % PUBLISH_WINDOW] = 0;
        sent_at[published % PUBLISH_WINDOW] = now;
        publish_put(O.topics ? (uint32_t)(rnd() % (uint64_t)O.topics) : 0, published);
        published++;
    }
    publish_flush();
}

/* The numbers of the topics that a connection subscribes to begin here, and go on modulo --topics. */
static uint32_t first_topic(const struct conn *c) {
    return (uint32_t)((uint64_t)c->id * (uint64_t)O.topics_each % (uint64_t)O.topics);
}
static bool subscribes(const struct conn *c, uint32_t topic) {
    uint32_t count = (uint32_t)O.topics;
    return topic < count && (topic + count - first_topic(c)) % count < (uint32_t)O.topics_each;
}
static void on_delivery(struct conn *c, uint64_t now) {
    uint32_t topic, number, slot;
    if (c->got != O.size) { err("message of %llu bytes, expected %zu", (unsigned long long)c->got, O.size); return; }
    if (!get_hex(c->head, &topic) || !get_hex(c->head + 8, &number)) { err("a message without numbers"); return; }
    if (O.topics ? !subscribes(c, topic) : topic != 0) err("conn %u: a message of topic %u", c->id, topic);
    if (number == PROBE) {
        if (!is_subscribed[c->id]) { is_subscribed[c->id] = true; subscribed_count++; }
        return;
    }
    if (number == LAST_PROBE) { last_probes++; return; }
    if (number < next_number[c->id] || number < all_have || number >= published) {
        err("conn %u: message %u after %u", c->id, number, next_number[c->id]);
        return;
    }
    next_number[c->id] = number + 1;
    slot = number % PUBLISH_WINDOW;
    if (measuring) { msgs++; hist_add((uint64_t)((double)(now - sent_at[slot]) * ns_per_tick)); }
    delivered[slot]++;
    while (all_have < published && delivered[all_have % PUBLISH_WINDOW] >= subscribers) all_have++;
}

static void pump(bool spin);
static uint32_t last_topic(const struct conn *c) {
    return O.topics ? (first_topic(c) + (uint32_t)O.topics_each - 1) % (uint32_t)O.topics : 0;
}
static void probe_those_not_subscribed(void) {
    static uint32_t *probed, round;
    if (!probed) probed = calloc(O.topics ? (size_t)O.topics : 1, sizeof *probed);
    round++;
    for (int i = 0; i < nconn; i++) {
        uint32_t topic = last_topic(&C[i]);
        if (C[i].state != OPEN || is_subscribed[i] || probed[topic] == round) continue;
        probed[topic] = round;
        publish_put(topic, PROBE);
    }
    publish_flush();
}
/* Publishes probes until each connection got one: what is sent before the last one is subscribed would be waited
 * for in vain. The last topic of a connection is probed, for it is subscribed to last. Probes are sent again only
 * when those before no longer arrive, and what is measured begins when all have arrived. */
static void await_subscriptions(void) {
    const uint64_t pause = 50000000;
    uint64_t limit = mono_ns() + (uint64_t)(O.connect_timeout * 1e9);
    while (subscribed_count < n_open && C[0].state == OPEN && mono_ns() < limit) {
        probe_those_not_subscribed();
        uint64_t news = mono_ns();
        while (subscribed_count < n_open && mono_ns() - news < pause) {
            int before = subscribed_count;
            pump(true);
            if (subscribed_count > before) news = mono_ns();
        }
    }
    if (subscribed_count < nconn) { err("%d of %d are not subscribed", nconn - subscribed_count, nconn); return; }
    publish_put(last_topic(&C[0]), LAST_PROBE);
    publish_flush();
    while (last_probes < subscribers && C[0].state == OPEN && mono_ns() < limit) pump(true);
}
/* What is in flight at the end arrives, or is missing. */
static void await_deliveries(void) {
    for (uint64_t limit = mono_ns() + 5000000000ull; all_have != published && mono_ns() < limit;) pump(true);
    if (all_have != published) err("message %u and %u more did not come to all", all_have, published - all_have - 1);
}
static bool publish_set_up(void) {
    if (O.size < PUBLISH_HEAD) O.size = PUBLISH_HEAD;
    if (O.depth >= PUBLISH_WINDOW || O.fragment) return false;
    int64_t subscriptions = (int64_t)O.conns * O.topics_each;
    if (O.topics && (O.topics_each < 1 || O.topics_each > O.topics || subscriptions % O.topics)) return false;
    subscribers = O.topics ? (uint32_t)(subscriptions / O.topics) : (uint32_t)O.conns;
    next_number = calloc((size_t)O.conns, sizeof *next_number);
    is_subscribed = calloc((size_t)O.conns, sizeof *is_subscribed);
    return subscribers > 0;
}
