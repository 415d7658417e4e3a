// Any bytes are a frame header, the start of one, or throw ProtocolError; more bytes behind them
// never change that verdict; a header that was read is written as the same bytes.

@testable import WebSocketProtocol

/// A verdict on the bytes so far; `nil`: more are needed.
private typealias Verdict = Result<ParsedHeader, ProtocolError>?

private struct ParsedHeader: Equatable {
    let header: FrameHeader
    let byteCount: Int
}

func checkFrame(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    let roles: [Role] = input.settings & 1 == 0 ? [.server, .client] : [.client, .server]
    var verdict: Verdict = nil
    for byteCount in 0...min(input.content.count, FrameHeader.byteCountLimit + 1) {
        let next = parse(input.content.prefix(byteCount), roles[0])
        try require(verdict == nil || next == verdict, "\(byteCount) bytes: a verdict changed")
        verdict = next
        try require(
            byteCount < FrameHeader.byteCountLimit || verdict != nil, "no verdict on 14 bytes")
    }
    guard case .success(let parsed)? = verdict else { return }
    let header = parsed.header
    try require(parsed.byteCount == header.byteCount, "a header of another length")
    let written = header.bytes([])
    try require(written == Array(input.content.prefix(parsed.byteCount)), "written otherwise")
    let other = parse(input.content[...], roles[1])
    try require(
        other == .failure(roles[1] == .server ? .unmaskedFrame : .maskedFrame),
        "both roles take the same mask bit")
    try checkMask(input.content.dropFirst(parsed.byteCount), header.maskingKey ?? 0)
}

private func parse(_ bytes: ArraySlice<UInt8>, _ role: Role) -> Verdict {
    withOwnMemory(bytes) { bytes in
        do throws(ProtocolError) {
            return try FrameHeader.parse(.init(bytes), role: role).map {
                .success(ParsedHeader(header: $0.header, byteCount: $0.byteCount))
            }
        } catch {
            return .failure(error)
        }
    }
}

/// RFC 6455 §5.3, one byte at a time and in two pieces.
private func checkMask(_ payload: ArraySlice<UInt8>, _ key: UInt32) throws {
    let plain = Array(payload)
    let expected = plain.enumerated().map { index, byte in
        byte ^ UInt8(truncatingIfNeeded: key >> UInt32(index % 4 * 8))
    }
    let cut = plain.isEmpty ? 0 : Int(plain[0]) % (plain.count + 1)
    var masked = plain
    masked.withUnsafeMutableBytes { bytes in
        Mask.apply(key, to: .init(rebasing: bytes[..<cut]))
        Mask.apply(key, to: .init(rebasing: bytes[cut...]), offset: cut)
    }
    try require(masked == expected, "masked otherwise than byte by byte")
}
