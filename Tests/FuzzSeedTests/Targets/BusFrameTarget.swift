// Any bytes are frames between server processes, or an error, however they are cut; a frame that
// was read is written as the same bytes, unless it is a hello, which may be longer than ours.

import WebSocketProtocol

@testable import TopicBus

func checkBusFrame(_ bytes: UnsafeRawBufferPointer) throws {
    let input = FuzzInput(bytes)
    let frameByteLimit = input.choice([1_000, 16, 0, 1 << 20], bit: 0)
    let whole = try decode(input.whole, frameByteLimit)
    let cut = try decode(input.pieces, frameByteLimit)
    try require(cut == whole, "cut: \(cut), else: \(whole)")
    let written = whole.frames.flatMap(\.bytes)
    if whole.frames.contains(where: { $0.kind == .hello }) {
        let again = try decode([written[...]], 1 << 20)
        try require(again.frames == whole.frames, "written otherwise: \(again)")
    } else {
        try require(input.content.starts(with: written), "written otherwise: \(written)")
    }
}

private struct Decoded: Equatable {
    var frames: [BusFrame] = []
    var error: BusError?
    /// Whether the last frame is not complete.
    var isInsideFrame = false
}

private func decode(_ pieces: [ArraySlice<UInt8>], _ frameByteLimit: Int) throws -> Decoded {
    var decoder = BusFrameDecoder(frameByteLimit: frameByteLimit)
    var decoded = Decoded()
    for piece in pieces {
        withOwnMemory(piece) { decoder.append(UnsafeRawBufferPointer($0)) }
        do throws(BusError) {
            while let frame = try decoder.next() { decoded.frames.append(frame) }
        } catch {
            decoded.error = error
            return decoded
        }
    }
    decoded.isInsideFrame = decoder.isInsideFrame
    return decoded
}
