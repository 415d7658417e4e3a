import Shared
import WebSocketHost

/// Receives nothing before the stash has something under `?key=`; then it tells a text how many
/// bytes came.
public let handler = WebSocketHandler { socket in
    let key = socket.request.query["key"] ?? ""
    try await socket.send("not receiving")
    _ = try await stash.take(key)
    var byteCount = 0
    for try await message in socket {
        switch message {
        case .binary(let bytes): byteCount += bytes.count
        case .text: try await socket.send("\(byteCount)")
        }
    }
}
