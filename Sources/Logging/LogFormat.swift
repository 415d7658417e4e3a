/// How a log line looks.
public enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-03-01 12:00:00.123 info message`, in local time.
    case text
    /// One JSON object (RFC 8259) per line: `time` (RFC 3339, UTC), `level`, `message`; lines about
    /// a connection have more members.
    case json
}
