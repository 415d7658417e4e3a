import HTTPProtocol

/// Dates as HTTP writes them, kept because the same ones are asked for again and again. One per
/// loop.
struct DateTexts {
    private var texts: [Int: String] = [:]

    /// 256 dates are 20 KiB.
    private static let countLimit = 256

    mutating func text(secondsSince1970 seconds: Int) -> String {
        if let text = texts[seconds] { return text }
        if texts.count >= Self.countLimit { texts.removeAll(keepingCapacity: true) }
        let text = HTTPDate.string(secondsSince1970: seconds)
        texts[seconds] = text
        return text
    }
}
