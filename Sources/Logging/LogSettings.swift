/// What a log writes, and how.
public struct LogSettings: Sendable, Hashable {
    /// `--log-level`. Lines below it are not written.
    public var level = LogLevel.info
    /// `--deflate-log-level`. The same for lines about compression, whatever ``level`` is.
    public var compressionLevel = LogLevel.info
    /// `--request-log-level`. The level of lines about requests for pages, files and scripts.
    public var requestLevel = LogLevel.info
    /// `--log-format`.
    public var format = LogFormat.text
    /// `--log-max`. Bytes in a file before it is rotated; 0: never. 256 KiB as in pywebsocket3.
    public var fileByteLimit = 262_144
    /// `--log-count`. Rotated files that are kept, `FILE.1` the newest; 0: the file is not rotated.
    /// 5 as in pywebsocket3.
    public var fileCountLimit = 5

    /// `--log-queue-size`. Bytes of lines that wait for a reader who is too slow, such as a stopped
    /// terminal; further lines are left out and counted. 1 MiB: some 10,000 lines.
    public var queueByteLimit = 1_048_576

    public init() {}

    /// - Parameter level: for all lines, those about compression too.
    public init(level: LogLevel) {
        self.level = level
        compressionLevel = level
    }
}
