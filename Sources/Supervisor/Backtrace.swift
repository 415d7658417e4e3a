import EventLoop
import Logging

/// The text that `swift-backtrace` wrote about a crash.
struct Backtrace {
    /// The frames, without the other text around them.
    let lines: [String]
    /// `crash_wsh.swift:7:68`: the first frame in a handler file, relative to the handlers
    /// directory.
    let place: String?
    /// `sub/crash_wsh.swift`: the file of the first frame in a handler, not in helper code.
    let handler: String?
    /// `arithmetic overflow`, where a check of the optimizer's says so.
    let failure: String?
    /// The functions of the frames before the first in the handlers directory, which is what the
    /// author's code had called; all if there is no such frame.
    let functionsAbove: [String]

    /// 64 KiB: some 30 frames take 6 KiB.
    static let byteLimit = 65_536
    private static let lineLimit = 40

    /// - Parameter root: the handlers directory, as the compiler knows it.
    init(_ text: String, root: String) {
        let folder = root.endsExactly(with: "/") ? root : root + "/"
        let frames = text.split(separator: "\n").map(String.init).filter(Self.isFrame)
        lines = frames.prefix(Self.lineLimit).map { escaped($0, limit: 500) }
        failure = text.split(separator: "\n").lazy.compactMap(Self.failure).first
        functionsAbove = frames.prefix { Self.place($0, folder) == nil }
            .map { escaped(Self.function($0), limit: 200) }
        let places = frames.compactMap { Self.place($0, folder) }
        place = places.first
        handler = places.lazy.map { String($0.prefix { $0 != ":" }) }
            .first { $0.endsExactly(with: "_wsh.swift") }
    }

    /// ` 1 [async]   0x000056198df2c4d0 Connection.run(_:) in standalone at /tmp/x.swift:191`
    private static func isFrame(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        return words.first.flatMap { Int($0) } != nil && line.contains(" 0x")
    }

    /// `*** Swift runtime failure: arithmetic overflow ***`
    private static func failure(_ line: Substring) -> String? {
        guard let prefix = line.firstRange(of: "Swift runtime failure: ") else { return nil }
        let text = line[prefix.upperBound...]
        return text.hasSuffix(" ***") ? escaped(String(text.dropLast(4)), limit: 200) : nil
    }

    /// `Connection.run(_:)`
    private static func function(_ frame: String) -> String {
        guard let address = frame.firstRange(of: " 0x") else { return "" }
        var text = frame[address.upperBound...].drop { $0 != " " }.dropFirst()
        if let place = text.firstRange(of: " at /") { text = text[..<place.lowerBound] }
        if let image = text.ranges(of: " in ").last { text = text[..<image.lowerBound] }
        if let offset = text.ranges(of: " + ").last { text = text[..<offset.lowerBound] }
        let prefix = "specialized "
        return String(text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : text)
    }

    private static func place(_ frame: String, _ folder: String) -> String? {
        guard let at = frame.firstRange(of: " at \(folder)") else { return nil }
        let place = String(frame[at.upperBound...])
        return place.contains(".swift:") ? place : nil
    }
}
