/// The two forms in which metrics are read.
public enum MetricsFormat: Sendable, Hashable, CaseIterable {
    /// Prometheus text 0.0.4, which every reader of metrics understands.
    case prometheus
    /// OpenMetrics 1.0, with units and an end.
    case openMetrics

    /// The `Content-Type` of an answer.
    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// The form that is meant by the `Accept` of a request (RFC 9110 §12.5.1).
    ///
    /// OpenMetrics only for who names it and prefers it: whoever accepts anything, or nothing that
    /// there is, gets the other.
    ///
    /// - Parameter accept: its value; `nil`: there is none.
    package init(accept: String?) {
        var openMetrics = 0
        var text: (named: Int?, any: Int?) = (nil, nil)
        for range in (accept ?? "").split(separator: ",") {
            let range = MediaRange(range)
            switch range.type {
            case "application/openmetrics-text" where Self.versions.contains(range.version):
                openMetrics = max(openMetrics, range.quality)
            case "text/plain": text.named = max(text.named ?? 0, range.quality)
            case "text/*", "*/*": text.any = max(text.any ?? 0, range.quality)
            default: break
            }
        }
        let isPreferred = openMetrics > 0 && openMetrics >= text.named ?? text.any ?? 0
        self = isPreferred ? .openMetrics : .prometheus
    }

    /// What clients ask for that understand 1.0: 0.0.1 was its draft.
    private static let versions = ["", "0.0.1", "1.0.0"]
}

/// One element of an `Accept`.
private struct MediaRange {
    /// In small letters.
    let type: String
    /// Empty: none is asked for.
    private(set) var version = ""
    /// In thousandths. One that is not a number counts as 0.
    private(set) var quality = 1_000

    init(_ text: Substring) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        type = parts.first?.lowercased() ?? ""
        for parameter in parts.dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1).map(Self.trimmed)
            guard pair.count == 2 else { continue }
            switch pair[0].lowercased() {
            case "version": version = pair[1].filter { $0 != "\"" }
            case "q": quality = Self.quality(pair[1])
            default: break
            }
        }
    }

    /// `0.5` is 500.
    private static func quality(_ text: String) -> Int {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = Int(parts[0]), (0...1).contains(whole) else { return 0 }
        guard parts.count == 2 else { return whole * 1_000 }
        let digits = parts[1].prefix(3)
        guard digits.allSatisfy(\.isNumber), let fraction = Int("0" + digits) else { return 0 }
        let scale = [1_000, 100, 10, 1][digits.count]
        return min(1_000, whole * 1_000 + fraction * scale)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(
            text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                .reversed())
    }
}
