import HTTPProtocol
import TestSupport
import Testing

@testable import WebSocketProtocol

/// What came of inflating a message.
struct Inflated: Hashable, Sendable {
    var bytes: [UInt8] = []
    var failure: ProtocolError?

    init(_ bytes: [UInt8] = [], failure: ProtocolError? = nil) {
        self.bytes = bytes
        self.failure = failure
    }
}

extension Inflater {
    /// Inflates one message that comes in these parts, each in memory that is overwritten after it.
    ///
    /// - Parameter isWhole: false if more of it is to come later.
    func message(
        _ parts: [ArraySlice<UInt8>], isWhole: Bool = true, outputByteCount: Int = 1_000
    ) -> Inflated {
        var result = Inflated()
        var output = [UInt8](repeating: 0, count: outputByteCount)
        for (index, part) in parts.enumerated() {
            var memory = Array(part)
            memory.withUnsafeMutableBytes { bytes in
                begin(UnsafeRawBufferPointer(bytes), isLast: isWhole && index == parts.count - 1)
                do throws(ProtocolError) {
                    try pull(into: &output, &result)
                } catch {
                    result.failure = error
                }
                bytes.initializeMemory(as: UInt8.self, repeating: 0xAA)
            }
            if result.failure != nil { break }
        }
        return result
    }

    private func pull(into output: inout [UInt8], _ result: inout Inflated) throws(ProtocolError) {
        var pieces: Result<Void, ProtocolError> = .success(())
        output.withUnsafeMutableBytes { output in
            pieces = Result { () throws(ProtocolError) in
                var isFull = true
                while true {
                    let piece = try next(into: output)
                    if piece.isEmpty { return }
                    #expect(isFull, "a piece after one that is not full")
                    isFull = piece.count == output.count
                    result.bytes += piece
                }
            }
        }
        try pieces.get()
    }

    func message(_ bytes: [UInt8], outputByteCount: Int = 1_000) -> Inflated {
        message([bytes[...]], outputByteCount: outputByteCount)
    }
}

extension Deflater {
    /// Deflates one piece.
    func piece(
        _ bytes: [UInt8], isLast: Bool = true, into output: GrowingBuffer = GrowingBuffer()
    ) throws -> [UInt8] {
        try bytes.withUnsafeBytes { bytes in
            Array(try #require(deflate(bytes, isLast: isLast, into: output)))
        }
    }
}

/// What a message inflates to, which has to be the same however it is cut and however little is
/// taken at a time.
///
/// - Parameter history: what was inflated before it.
func everyInflation(
    _ payload: [UInt8], windowBits: Int = 15, history: [UInt8] = [],
    sourceLocation: SourceLocation = #_sourceLocation
) throws -> Inflated {
    func run(_ parts: [ArraySlice<UInt8>], _ outputByteCount: Int = 1_000) throws -> Inflated {
        let inflater = try #require(Inflater(windowBits: windowBits, history: history))
        return inflater.message(parts, outputByteCount: outputByteCount)
    }
    let whole = try run([payload[...]])
    func compare(_ split: String, _ other: Inflated) {
        if other == whole { return }
        Issue.record(
            "\(split): \(other)\nwhole: \(whole)\n\(hexDump(payload.prefix(512)))",
            sourceLocation: sourceLocation)
    }
    let bytes = payload.indices.map { payload[$0...$0] }
    if !bytes.isEmpty {
        compare("byte by byte", try run(bytes))
        compare("byte by byte to bytes", try run(bytes, 1))
    }
    compare("an empty part last", try run([payload[...], []]))
    compare("empty parts between", try run([[]] + bytes.flatMap { [$0, []] }))
    for outputByteCount in [1, 2, 3, 7, 65_536] {
        compare("\(outputByteCount) bytes out", try run([payload[...]], outputByteCount))
    }
    for cut in cuts(payload.count) {
        compare("cut at \(cut)", try run([payload[..<cut], payload[cut...]]))
    }
    return whole
}

/// Bytes that do not get shorter.
func noise(_ byteCount: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    var words = (0..<(byteCount + 7) / 8).map { _ in generator.next() }
    return words.withUnsafeMutableBytes { Array($0.prefix(byteCount)) }
}

/// Something like JSON.
func prose(_ byteCount: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    let words = [
        "\"id\":", "\"user\":\"alice\",", "\"price\":", "true,", "false,", "},{", "[1,2],",
    ]
    var bytes: [UInt8] = []
    while bytes.count < byteCount {
        bytes += (words.randomElement(using: &generator) ?? "").utf8
        bytes += "\(UInt16(truncatingIfNeeded: generator.next())),".utf8
    }
    return Array(bytes.prefix(byteCount))
}

// MARK: Negotiation

func compressionSettings(
    _ mode: CompressionSettings.Mode, windowBits: Int = 15
) -> CompressionSettings {
    var settings = CompressionSettings()
    settings.mode = mode
    settings.windowBits = windowBits
    return settings
}

/// The parameters in short: `sn` for server_no_context_takeover, `sw=9` for
/// server_max_window_bits=9, and so on; a word that is none of these stays.
func spelledOut(_ short: String) -> String {
    let names = [
        "sn": "server_no_context_takeover", "cn": "client_no_context_takeover",
        "sw": "server_max_window_bits", "cw": "client_max_window_bits",
    ]
    return
        (["permessage-deflate"]
        + short.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (names[String(parts[0])] ?? String(parts[0]))
                + (parts.count > 1 ? "=\(parts[1])" : "")
        }).joined(separator: "; ")
}

func deflateOffer(_ short: String) -> ExtensionOffer {
    let words = spelledOut(short).split(separator: "; ")
    return ExtensionOffer(
        PermessageDeflate.name,
        parameters: words.dropFirst().map { word in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return .init(String(parts[0]), parts.count > 1 ? String(parts[1]) : nil)
        })
}
