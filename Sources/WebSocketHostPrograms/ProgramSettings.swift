import HTTPProtocol
import Subprocesses

/// How a program that answers a path is run.
public struct ProgramSettings: Sendable, Hashable {
    /// What a message is to it.
    public var framing = ProgramFraming.lines
    /// `--program-environment`. Variables of this process that it gets too, if they are set. As
    /// websocketd's `--passenv`.
    public var passedVariables = ["PATH", "LD_LIBRARY_PATH"]
    /// Variables that it gets beside those; they come before a variable of the same name.
    public var environment: [String: String] = [:]
    /// Its working directory; `nil`: the folder that it lies in.
    public var folder: String?
    /// Limits and waits. Its longest line is the longest message of the route,
    /// ``ConnectionSettings/messageByteLimit``.
    public var subprocess = SubprocessSettings()

    public init() {}
}

/// What a WebSocket message is to a program.
public enum ProgramFraming: Sendable, Hashable, CaseIterable {
    /// A line of its output is a text message, a text message is a line of its input. A binary
    /// message is written as it is, without a line end. As websocketd does.
    case lines
    /// Each message, in both directions, is its length in four bytes, the most significant one
    /// first, and then so many bytes. It sends binary messages and gets both kinds.
    case lengthPrefixed
    /// What it writes goes out in binary messages as it comes, however that cuts it; a binary
    /// message is written as it is, a text message with a line end. As websocketd with `--binary`.
    case bytes
}
