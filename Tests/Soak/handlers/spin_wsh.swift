import Glibc
import WebSocketHost

/// Says which process it is in, and uses its thread for ever once the client says anything.
public let handler = WebSocketHandler { socket in
    try await socket.send("\(getpid())")
    _ = try await socket.receive()
    var count: UInt64 = 0
    while true { count &+= UInt64.random(in: 0...1) }
}
