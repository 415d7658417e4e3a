import Chat
import Dispatch
import Glibc
import WebSocketHost

var configuration = Configuration()
configuration.port = 0
let server = try Server(configuration, log: Log(level: .warning))
try server.route("/chat", chat(Store()))

// Signals are the program's own: here SIGTERM ends the task, which drains the server.
let serving = Task { try await server.run { print("port \($0[0].port)") } }
signal(SIGTERM, SIG_IGN)
let terminations = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .main)
terminations.setEventHandler { serving.cancel() }
terminations.resume()
try await serving.value
print("stopped")
