import Testing
import WebSocketProtocol

extension TestClient {
    /// Has each header that comes shown.
    func observe(_ observer: @escaping @Sendable (FrameHeader) -> Void) {
        session.frameObserver = observer
    }

    /// Records an issue if the next bytes are not these.
    func expect(_ bytes: [UInt8]) throws {
        while input.count < bytes.count {
            let more = try readSome()
            if more.isEmpty { break }
            input += more
        }
        #expect(Array(input.prefix(bytes.count)) == bytes)
        input.removeFirst(min(bytes.count, input.count))
    }
}
