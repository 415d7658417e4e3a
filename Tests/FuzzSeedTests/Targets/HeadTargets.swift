// Any bytes are heads, the start of one, or throw the parser's error; however they are cut, the
// outcome is the same; no head is over the limits; what was accepted can be sent and is read as the
// same.

import HTTPProtocol

/// What came of a connection's bytes: heads that follow one another, and how it ended.
private struct Outcome<Head: Equatable, Failure: Error & Equatable>: Equatable {
    var heads: [Head] = []
    /// Where each head ended.
    var ends: [Int] = []
    var failure: Failure?
    var hasPartialHead = false
}

func checkRequest(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    let limits = headLimits(input)
    let outcome = try requests(input.whole, limits)
    let cut = try requests(input.pieces, limits)
    try require(cut == outcome, "cut: \(cut)\nwhole: \(outcome)")
    try checkByteCounts(outcome, input.content.count, limits)
    for head in outcome.heads {
        try require(head.fields.count <= limits.fieldCountLimit, "too many fields")
        let again = try requests([head.serialized()[...]], generousLimits)
        try require(again.heads == [head], "sent: \(head), read: \(again)")
        readFurther(head)
    }
    if let failure = outcome.failure {
        try require((400..<600).contains(failure.status.code), "\(failure): \(failure.status)")
        try require(!failure.description.isEmpty, "an error without a description")
    }
}

func checkResponse(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    let limits = headLimits(input)
    let outcome = try responses(input.whole, limits)
    let cut = try responses(input.pieces, limits)
    try require(cut == outcome, "cut: \(cut)\nwhole: \(outcome)")
    try checkByteCounts(outcome, input.content.count, limits)
    for head in outcome.heads {
        try require(head.fields.count <= limits.fieldCountLimit, "too many fields")
        let again = try responses([head.serialized()[...]], generousLimits)
        try require(again.heads == [head], "sent: \(head), read: \(again)")
    }
    if let failure = outcome.failure {
        try require(!failure.description.isEmpty, "an error without a description")
    }
}

private func headLimits(_ input: FuzzInput) -> RequestHeadLimits {
    RequestHeadLimits(
        headByteLimit: input.choice([16_384, 400, 100, 20], bit: 0),
        fieldCountLimit: input.choice([128, 4, 1, 0], bit: 2))
}

/// A head that is sent has a space after each colon, and may be longer than the one received.
private let generousLimits = RequestHeadLimits(headByteLimit: 1 << 24, fieldCountLimit: 1 << 16)

/// Each head, and the one that goes on behind them, is within the limit.
private func checkByteCounts<Head, Failure>(
    _ outcome: Outcome<Head, Failure>, _ contentByteCount: Int, _ limits: RequestHeadLimits
) throws {
    var start = 0
    for end in outcome.ends {
        try require((1...limits.headByteLimit).contains(end - start), "a head at \(start)..<\(end)")
        start = end
    }
    guard outcome.failure == nil else { return }
    let restByteCount = contentByteCount - start
    try require(restByteCount <= limits.headByteLimit, "\(restByteCount) bytes and no error")
    try require(outcome.hasPartialHead == (restByteCount > 0), "\(restByteCount) bytes behind")
}

/// What the server reads out of a head. There is no rule but that nothing traps.
private func readFurther(_ head: RequestHead) {
    if let target = RequestTarget(head.target) {
        _ = ResourcePath.percentDecoded(target.path)
        _ = ResourcePath.hasDotSegments(target.path)
        _ = target.query.map { Query($0) }
    }
    _ = Cookies(head.fields)
    _ = (head.host, head.hasBody, head.wantsKeepAlive, head.lacksHost)
}

private func requests(
    _ pieces: [ArraySlice<UInt8>], _ limits: RequestHeadLimits
) throws -> Outcome<RequestHead, RequestError> {
    var parser = RequestHeadParser(limits: limits)
    var outcome = try read(pieces) { bytes throws(RequestError) -> (RequestHead, Int)? in
        switch try parser.parse(bytes) {
        case .incomplete: nil
        case .complete(let head, let consumedByteCount): (head, consumedByteCount)
        }
    }
    outcome.hasPartialHead = parser.hasPartialHead
    return outcome
}

private func responses(
    _ pieces: [ArraySlice<UInt8>], _ limits: RequestHeadLimits
) throws -> Outcome<ResponseHead, ResponseError> {
    var parser = ResponseHeadParser(limits: limits)
    var outcome = try read(pieces) { bytes throws(ResponseError) -> (ResponseHead, Int)? in
        switch try parser.parse(bytes) {
        case .incomplete: nil
        case .complete(let head, let consumedByteCount): (head, consumedByteCount)
        }
    }
    outcome.hasPartialHead = parser.hasPartialHead
    return outcome
}

/// Feeds the pieces until one fails; behind a head the next one begins.
private func read<Head, Failure>(
    _ pieces: [ArraySlice<UInt8>],
    parse: (UnsafeRawBufferPointer) throws(Failure) -> (Head, Int)?
) throws -> Outcome<Head, Failure> {
    var outcome = Outcome<Head, Failure>()
    for piece in pieces where outcome.failure == nil {
        withOwnMemory(piece) { bytes in
            var start = 0
            do throws(Failure) {
                repeat {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
                    guard let (head, byteCount) = try parse(rest) else { return }
                    start += byteCount
                    outcome.heads.append(head)
                    outcome.ends.append(piece.startIndex + start)
                } while start < bytes.count
            } catch {
                outcome.failure = error
            }
        }
    }
    return outcome
}
