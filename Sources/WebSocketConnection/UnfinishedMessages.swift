import EventLoop
import Synchronization
import WebSocketProtocol

/// Messages of a process that are not complete yet, and how many bytes of them it keeps.
///
/// If that is more than the limit, the message that began first is given up, and its connection
/// with it: peers that begin long messages and never end them do no harm to those that do. A
/// message of which little is kept is not counted, so most never are.
package final class UnfinishedMessages: Sendable {
    /// In bytes; one message of the greatest length always has room.
    private let byteLimit: Int
    private let state = Mutex(State())

    /// 16 KiB: a message of which less is kept is not counted.
    static let countedByteCount = 16_384

    private struct State {
        /// By number, in the order in which they began.
        var messages: [Int: Message] = [:]
        var lastNumber = 0
        var byteCount = 0

        mutating func remove(_ number: Int) -> Message? {
            guard let message = messages.removeValue(forKey: number) else { return nil }
            byteCount -= message.byteCount
            return message
        }
    }

    private struct Message {
        var byteCount: Int
        let connection: Connection
    }

    package init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// How much is kept now, of what is counted.
    package var byteCount: Int { state.withLock(\.byteCount) }

    /// Notes how much is kept of a connection's message.
    ///
    /// - Parameter number: what this returned for the message before; `nil`: it is new.
    /// - Returns: the message's number, for ``remove(_:)``.
    func note(_ byteCount: Int, of connection: Connection, _ number: Int?) -> Int {
        let limit = max(byteLimit, connection.settings.messageByteLimit)
        let (number, victims) = state.withLock { state -> (Int, [(Int, Connection)]) in
            if number == nil { state.lastNumber += 1 }
            let number = number ?? state.lastNumber
            _ = state.remove(number)
            state.messages[number] = Message(byteCount: byteCount, connection: connection)
            state.byteCount += byteCount
            var victims: [(Int, Connection)] = []
            while state.byteCount > limit, let first = state.messages.keys.min(),
                let message = state.remove(first)
            {
                victims.append((first, message.connection))
            }
            return (number, victims)
        }
        for (number, connection) in victims {
            connection.loop.submit { connection.giveUpMessage(number, byteLimit: limit) }
        }
        return number
    }

    /// The message is complete, or its connection has ended.
    func remove(_ number: Int) {
        _ = state.withLock { $0.remove(number) }
    }
}

extension Connection {
    /// Counts what is kept of a message that is not complete.
    func countUnfinished(_ byteCount: Int) {
        let waits = makeWaits()
        waits.unfinishedMessage = endpoint.unfinishedMessages.note(
            byteCount, of: self, waits.unfinishedMessage)
    }

    /// The message is complete, or nothing of it is kept any more.
    func finishUnfinished() {
        if let number = waits?.unfinishedMessage.take() {
            endpoint.unfinishedMessages.remove(number)
        }
    }

    /// Closes the connection, unless the message has become complete meanwhile.
    fileprivate func giveUpMessage(_ number: Int, byteLimit: Int) {
        guard waits?.unfinishedMessage == number else { return }
        failSoon(.noRoomForMessage(byteLimit: byteLimit))
    }
}
