// Echo on uWebSockets, and its publish: what anyone says on /broadcast goes to everyone there, and on
// /topics to who subscribed to the topic that its first eight characters name.
//
//     uws_publish PORT [on|off|prepared]
//
// `/topics?first=F&each=E&of=T` subscribes to E topics from number F on, modulo T. permessage-deflate is off,
// or on with the one compressor that all connections share (SHARED_COMPRESSOR): `on` publishes as usual, which
// compresses for each subscriber; `prepared` compresses once (publishPrepared), and does not gather small messages.
//
// Nothing is dropped: no limit to what waits for a subscriber (maxBackpressure 0), and none is closed for it.
// Pings are automatic and the idle time-out is 120 s, as by default.
#include "App.h"
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

constexpr std::size_t topicLength = 8;

struct Nothing {};
struct Wanted {
    unsigned first = 0, each = 0, of = 1;
};
using Socket = uWS::WebSocket<false, true, Wanted>;

static uWS::App *app;
static bool prepares;

static unsigned number(std::string_view text) { return unsigned(std::strtoul(std::string(text).c_str(), nullptr, 10)); }

static void publish(std::string_view topic, std::string_view message, uWS::OpCode code, bool compresses) {
    if (!prepares) {
        app->publish(topic, message, code, compresses);
        return;
    }
    auto prepared = uWS::Loop::get()->prepareMessage(message, code, true);
    app->publishPrepared(topic, prepared);
}

template <typename Data>
static uWS::App::WebSocketBehavior<Data> behavior(bool compresses) {
    uWS::App::WebSocketBehavior<Data> behavior;
    behavior.compression = compresses
        ? uWS::CompressOptions(uWS::SHARED_COMPRESSOR | uWS::SHARED_DECOMPRESSOR) : uWS::DISABLED;
    behavior.maxPayloadLength = 16 << 20;
    behavior.maxBackpressure = 0;
    behavior.closeOnBackpressureLimit = false;
    return behavior;
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    const std::string mode = count > 2 ? arguments[2] : "off";
    const bool compresses = mode != "off";
    prepares = mode == "prepared";
    uWS::App server;
    app = &server;

    auto echo = behavior<Nothing>(compresses);
    echo.message = [compresses](auto *socket, std::string_view message, uWS::OpCode code) {
        socket->send(message, code, compresses);
    };
    auto broadcast = behavior<Nothing>(compresses);
    broadcast.open = [](auto *socket) { socket->subscribe("all"); };
    broadcast.message = [compresses](auto *, std::string_view message, uWS::OpCode code) {
        publish("all", message, code, compresses);
    };
    auto topics = behavior<Wanted>(compresses);
    topics.upgrade = [](auto *response, auto *request, auto *context) {
        response->template upgrade<Wanted>(
            {number(request->getQuery("first")), number(request->getQuery("each")), number(request->getQuery("of"))},
            request->getHeader("sec-websocket-key"), request->getHeader("sec-websocket-protocol"),
            request->getHeader("sec-websocket-extensions"), context);
    };
    topics.open = [](Socket *socket) {
        const Wanted wanted = *socket->getUserData();
        char name[topicLength + 1];
        for (unsigned index = 0; wanted.of && index < wanted.each; index++) {
            std::snprintf(name, sizeof name, "%08x", (wanted.first + index) % wanted.of);
            socket->subscribe({name, topicLength});
        }
    };
    topics.message = [compresses](auto *, std::string_view message, uWS::OpCode code) {
        publish(message.substr(0, topicLength), message, code, compresses);
    };

    bool listens = false;
    server.ws<Nothing>("/", std::move(echo))
        .ws<Nothing>("/broadcast", std::move(broadcast))
        .ws<Wanted>("/topics", std::move(topics))
        .listen("127.0.0.1", std::atoi(arguments[1]), [&](auto *socket) { listens = socket != nullptr; });
    if (!listens) return 1;
    server.run();
}
