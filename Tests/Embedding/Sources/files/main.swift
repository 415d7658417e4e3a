import WebSocketHost

// `registrations` is what the plugin found in `handlers`.
var configuration = Configuration()
configuration.port = 0
let server = try Server(configuration, routes: Routes(registrations), log: Log(level: .warning))
try await server.run { addresses in print("port \(addresses[0].port)") }
