import EventLoop
import Synchronization

/// What most connections never have, or not before they end, in memory of its own: thousands of
/// them may be idle. Made when the first of it is set.
extension Connection {
    final class Rare {
        var receiveTimer: EventLoop.Timer?
        var rawReceiver: RawReceiver?
        /// The task that sends a message piece by piece; others' messages wait behind it.
        var pieceSender: TaskIdentity? {
            didSet {
                let change = (pieceSender == nil ? 0 : 1) - (oldValue == nil ? 0 : 1)
                Self.piecesCount.add(change, ordering: .relaxed)
                keptPieceSender = pieceSender?.task
            }
        }
        /// Or another task might get its address, and end its message.
        private var keptPieceSender: AnyObject?
        /// Messages that go out piece by piece now, or were given up in the middle, on all
        /// connections.
        static let piecesCount = Atomic<Int>(0)
        /// Runs the endpoint's `passiveClosingHandshake`.
        var closingTask: Task<Void, Never>?
        var hasRawEnd = false
        var drainWaiters: [UnsafeContinuation<Void, Never>] = []
        var turnWaiters: [UnsafeContinuation<Void, Never>] = []
        var pingWaiters: [PingWaiter] = []
        var sleepers: [Sleeper] = []
        var closeWaiters: [UnsafeContinuation<Void, Never>] = []

        deinit { pieceSender = nil }
    }

    /// Whether any message goes out piece by piece.
    static var areMessagesInPieces: Bool { Rare.piecesCount.load(ordering: .relaxed) > 0 }

    struct PingWaiter {
        let number: Int
        let payload: [UInt8]
        let sentAt: MonotonicTime
        let continuation: UnsafeContinuation<Result<Duration, ConnectionError>, Never>
    }

    var madeRare: Rare {
        if let rare { return rare }
        let rare = Rare()
        self.rare = rare
        return rare
    }

    var receiveTimer: EventLoop.Timer? {
        get { rare?.receiveTimer }
        set { if rare != nil || newValue != nil { madeRare.receiveTimer = newValue } }
    }
    var rawReceiver: RawReceiver? {
        get { rare?.rawReceiver }
        set { if rare != nil || newValue != nil { madeRare.rawReceiver = newValue } }
    }
    var pieceSender: TaskIdentity? {
        get { rare?.pieceSender }
        set { if rare != nil || newValue != nil { madeRare.pieceSender = newValue } }
    }
    var closingTask: Task<Void, Never>? {
        get { rare?.closingTask }
        set { if rare != nil || newValue != nil { madeRare.closingTask = newValue } }
    }
    var hasRawEnd: Bool {
        get { rare?.hasRawEnd == true }
        set { madeRare.hasRawEnd = newValue }
    }
    var drainWaiters: [UnsafeContinuation<Void, Never>] {
        get { rare?.drainWaiters ?? [] }
        set { if rare != nil || !newValue.isEmpty { madeRare.drainWaiters = newValue } }
    }
    var turnWaiters: [UnsafeContinuation<Void, Never>] {
        get { rare?.turnWaiters ?? [] }
        set { if rare != nil || !newValue.isEmpty { madeRare.turnWaiters = newValue } }
    }
    var pingWaiters: [PingWaiter] {
        get { rare?.pingWaiters ?? [] }
        set { if rare != nil || !newValue.isEmpty { madeRare.pingWaiters = newValue } }
    }
    var sleepers: [Sleeper] {
        get { rare?.sleepers ?? [] }
        set { if rare != nil || !newValue.isEmpty { madeRare.sleepers = newValue } }
    }
    var closeWaiters: [UnsafeContinuation<Void, Never>] {
        get { rare?.closeWaiters ?? [] }
        set { if rare != nil || !newValue.isEmpty { madeRare.closeWaiters = newValue } }
    }
}
