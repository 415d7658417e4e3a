/// The limits and waits of one program of
/// ``withSubprocess(_:_:environment:folder:settings:onErrorLine:_:)``.
public struct SubprocessSettings: Sendable, Hashable {
    /// The longest line of ``Subprocess/lines``, in bytes without its end; a longer one throws. 1
    /// MiB.
    public var lineByteLimit = 1 << 20
    /// What is read ahead of ``Subprocess/lines`` and ``Subprocess/pieces``, in bytes, but for one
    /// line; then the program waits. 64 KiB: what a pipe holds.
    public var outputByteMark = 65_536
    /// Lines of its standard error in a second that `onErrorLine` gets; others are counted. 20.
    public var errorLineLimitPerSecond = 20
    /// How long a program has to end by itself when its input has ended, before it gets SIGTERM.
    /// 100 ms: as websocketd.
    public var inputEndTimeout: Duration = .milliseconds(100)
    /// `--program-stop-timeout`, for programs in the handlers directory. From SIGTERM to SIGKILL. 1
    /// s.
    public var stopTimeout: Duration = .seconds(1)

    public init() {}
}
