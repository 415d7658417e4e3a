import TopicBus
import WebSocketHost

extension TopicBus: OtherProcesses {
    package var numbers: [UInt64] { askable }
}
