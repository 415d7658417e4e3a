import HTTPProtocol

/// The body of a request whose script does not run yet, counted with those of all others.
///
/// Belongs to its loop's thread.
final class WaitingBody {
    private var reader: RequestBodyReader
    private let scripts: ScriptsResponder
    /// As ``scripts`` has it.
    private var countedByteCount = 0
    /// Whether there is room for all that came of all bodies.
    private(set) var mayWait = true

    init(_ framing: BodyFraming, _ scripts: ScriptsResponder) throws(RequestBodyError) {
        reader = try RequestBodyReader(framing, byteLimit: scripts.settings.requestBodyByteLimit)
        self.scripts = scripts
    }

    var isComplete: Bool { reader.isComplete }

    /// Takes what belongs to the body.
    ///
    /// - Returns: how many of `bytes` that is.
    func read(_ bytes: UnsafeRawBufferPointer) throws(RequestBodyError) -> Int {
        let byteCount = try reader.read(bytes)
        let more = reader.content.count - countedByteCount
        if more > 0 {
            countedByteCount += more
            mayWait = scripts.countIn(bodyByteCount: more)
        }
        return byteCount
    }

    /// The whole body, which waits no more.
    func take() -> [UInt8] {
        defer { drop() }
        return reader.content
    }

    /// It waits no more. A second call does nothing.
    func drop() {
        scripts.countOut(bodyByteCount: countedByteCount)
        countedByteCount = 0
    }
}
