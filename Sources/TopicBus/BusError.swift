/// What a frame from another process has that none of ours would.
enum BusError: Error, Hashable, CustomStringConvertible {
    case frameTooLong(byteCount: Int, byteLimit: Int)
    case unknownKind(UInt8)
    /// Its fields have more or fewer bytes than the frame.
    case wrongLength(BusFrame.Kind)
    case unknownFlags(UInt8)
    case emptyTopic
    case notUTF8
    /// The first frame is no hello of any version.
    case notAHello
    case otherVersion(UInt16)
    /// A frame of this kind may not come here.
    case unexpected(BusFrame.Kind)

    var description: String {
        switch self {
        case .frameTooLong(let byteCount, let byteLimit):
            "a message of \(byteCount) bytes, over the limit of \(byteLimit)"
        case .unknownKind(let kind): "a message of the unknown kind \(kind)"
        case .wrongLength(let kind): "a message (\(kind)) that is too long or too short"
        case .unknownFlags(let flags): "a message with the unknown flags \(flags)"
        case .emptyTopic: "a topic without a name"
        case .notUTF8: "text that is not UTF-8"
        case .notAHello: "something that is no greeting"
        case .otherVersion(let version):
            "version \(version) of the messages, and this process version \(BusFrame.version)"
        case .unexpected(let kind): "a message (\(kind)) out of its order"
        }
    }
}
