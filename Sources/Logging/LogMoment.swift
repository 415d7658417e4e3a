import Glibc

/// The time of a line, to the millisecond.
package struct LogMoment {
    package let seconds: Int
    package let milliseconds: Int

    package static func now() -> Self {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Self(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    /// `2026-03-01T12:00:00.123Z` (RFC 3339 §5.6).
    package var rfc3339: String {
        "\(wholeSeconds(.json)).\(String(1_000 + milliseconds).dropFirst())Z"
    }

    /// `2026-03-01 12:00:00` in local time for text; `2026-03-01T12:00:00` in UTC for JSON (RFC
    /// 3339 §5.6).
    func wholeSeconds(_ format: LogFormat) -> String {
        var (time, parts) = (time_t(seconds), tm())
        switch format {
        case .text: localtime_r(&time, &parts)
        case .json: gmtime_r(&time, &parts)
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let count = strftime(
                buffer.baseAddress, buffer.count, format == .text ? "%F %T" : "%FT%T", &parts)
            let digits = buffer[..<count].map(UInt8.init(bitPattern:))
            return String(decoding: digits, as: UTF8.self)
        }
    }
}
