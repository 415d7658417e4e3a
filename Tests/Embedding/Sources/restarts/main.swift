import Chat
import WebSocketHost

// One server after the other in one process, on the same port, with the same store; each runs until
// a line comes on standard input. A fourth shows that an address in use is an error and not the
// end.
let store = Store()
var configuration = Configuration()
configuration.host = "127.0.0.1"
configuration.port = 0
for number in 1...3 {
    let server = try Server(configuration, log: Log(level: .warning))
    try server.route("/chat", chat(store))
    configuration.port = try server.start()[0].port
    print("port \(configuration.port)")
    if number == 3 {
        do {
            try await Server(configuration).run()
        } catch ListenError.addressInUse(let address, _) {
            print("in use \(address.port)")
        }
    }
    _ = readLine()
    server.stop()
    await server.stopped()
    print("stopped \(server.openConnectionCount)")
}
