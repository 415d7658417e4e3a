import HTTPProtocol
import Testing

/// What came of feeding bytes to a parser.
enum Outcome<Head: Hashable & Sendable, Failure: Error & Hashable>: Hashable, Sendable {
    case incomplete
    /// - Parameter consumedByteCount: over all calls.
    case complete(Head, consumedByteCount: Int)
    case failed(Failure)

    var head: Head? {
        if case .complete(let head, _) = self { head } else { nil }
    }

    var failure: Failure? {
        if case .failed(let failure) = self { failure } else { nil }
    }
}

typealias RequestOutcome = Outcome<RequestHead, RequestError>
typealias ResponseOutcome = Outcome<ResponseHead, ResponseError>

/// Feeds the pieces to a new request parser, one call for each, until there is an outcome.
func requestOutcome(
    _ pieces: [ArraySlice<UInt8>], limits: RequestHeadLimits = RequestHeadLimits()
) -> RequestOutcome {
    var parser = RequestHeadParser(limits: limits)
    return outcome(of: pieces) { bytes throws(RequestError) in
        switch try parser.parse(bytes) {
        case .incomplete: nil
        case .complete(let head, let count): (head, count)
        }
    }
}

func responseOutcome(
    _ pieces: [ArraySlice<UInt8>], limits: RequestHeadLimits = RequestHeadLimits()
) -> ResponseOutcome {
    var parser = ResponseHeadParser(limits: limits)
    return outcome(of: pieces) { bytes throws(ResponseError) in
        switch try parser.parse(bytes) {
        case .incomplete: nil
        case .complete(let head, let count): (head, count)
        }
    }
}

private func outcome<Head, Failure>(
    of pieces: [ArraySlice<UInt8>],
    parse: (UnsafeRawBufferPointer) throws(Failure) -> (Head, Int)?
) -> Outcome<Head, Failure> {
    var fedByteCount = 0
    for piece in pieces {
        let outcome = piece.withUnsafeBytes { bytes -> Outcome<Head, Failure> in
            do throws(Failure) {
                guard let (head, count) = try parse(bytes) else { return .incomplete }
                return .complete(head, consumedByteCount: fedByteCount + count)
            } catch {
                return .failed(error)
            }
        }
        guard outcome == .incomplete else { return outcome }
        fedByteCount += piece.count
    }
    return .incomplete
}

/// The outcome of the bytes, which has to be the same however they are cut: whole, one at a time,
/// in two at each place, with empty calls between, and with trailing bytes behind a decided head.
func everySplit<Head, Failure>(
    _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation,
    _ feed: ([ArraySlice<UInt8>]) -> Outcome<Head, Failure>
) -> Outcome<Head, Failure> {
    let whole = feed([bytes[...]])
    func compare(_ split: String, _ pieces: [ArraySlice<UInt8>], _ end: [UInt8] = []) {
        let outcome = feed(pieces)
        if outcome != whole {
            Issue.record(
                "\(split): \(outcome), whole: \(whole)\n\(hexDump(bytes + end))",
                sourceLocation: sourceLocation)
        }
    }
    compare("byte by byte", bytes.indices.map { bytes[$0...$0] })
    compare("with empty calls", bytes.indices.flatMap { [[], bytes[$0...$0]] })
    // Each place is too much for long inputs.
    for cut in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 512)) {
        compare("cut at \(cut)", [bytes[..<cut], bytes[cut...]])
    }
    if whole != .incomplete {
        for trailing in ["\r\n", "GET / HTTP/1.1\r\n\r\n", "\n", "\0"] {
            compare("trailing", [(bytes + trailing.utf8)[...]], Array(trailing.utf8))
        }
    }
    return whole
}

func everySplit(
    request: String, sourceLocation: SourceLocation = #_sourceLocation
) -> RequestOutcome {
    everySplit(Array(request.utf8), sourceLocation: sourceLocation) { requestOutcome($0) }
}

func everySplit(
    response: String, sourceLocation: SourceLocation = #_sourceLocation
) -> ResponseOutcome {
    everySplit(Array(response.utf8), sourceLocation: sourceLocation) { responseOutcome($0) }
}

/// Lines of 16 bytes, as hexadecimal and as text.
func hexDump(_ bytes: [UInt8]) -> String {
    stride(from: 0, to: bytes.count, by: 16).map { start in
        let line = bytes[start..<min(start + 16, bytes.count)]
        let hex = line.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let text = line.map { (0x20...0x7E).contains($0) ? Character(Unicode.Scalar($0)) : "." }
        return "\(hex.joined(separator: " "))  \(String(text))"
    }.joined(separator: "\n")
}
