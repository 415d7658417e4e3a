// Echo on Boost.Beast, set up to be fast: one thread, a plain socket without a timer for each operation,
// completion handlers, no compression, whole messages, one buffer for each connection.
//
//     beast_echo PORT
#define BOOST_ASIO_DISABLE_THREADS 1
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdlib>
#include <functional>
#include <memory>

namespace beast = boost::beast;
namespace net = boost::asio;
using net::ip::tcp;
using Socket = net::basic_stream_socket<tcp, net::io_context::executor_type>;
constexpr bool compresses = false;

struct Session : std::enable_shared_from_this<Session> {
    beast::websocket::stream<Socket, compresses> stream;
    beast::flat_buffer buffer;

    explicit Session(Socket &&socket) : stream(std::move(socket)) {}

    void run() {
        stream.next_layer().set_option(tcp::no_delay(true));
        stream.auto_fragment(false);
        stream.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error) self->read();
        });
    }
    void read() {
        stream.async_read(buffer, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error) self->write();
        });
    }
    void write() {
        stream.text(stream.got_text());
        stream.async_write(buffer.data(), [self = shared_from_this()](beast::error_code error, std::size_t count) {
            if (error) return;
            self->buffer.consume(count);
            self->read();
        });
    }
};

int main(int count, char **arguments) {
    if (count < 2) return 2;
    net::io_context context{1};
    net::basic_socket_acceptor<tcp, net::io_context::executor_type> acceptor(context.get_executor());
    tcp::endpoint endpoint{net::ip::make_address("127.0.0.1"), static_cast<unsigned short>(std::atoi(arguments[1]))};
    acceptor.open(endpoint.protocol());
    acceptor.set_option(net::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(4096);
    std::function<void()> accept = [&] {
        acceptor.async_accept([&](beast::error_code error, Socket socket) {
            if (!error) std::make_shared<Session>(std::move(socket))->run();
            accept();
        });
    };
    accept();
    context.run();
}
