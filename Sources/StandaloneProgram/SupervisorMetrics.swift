import EventLoop
import Glibc
import Metrics
import Processes
import Supervisor
import WebSocketHost

/// The metrics of a supervisor: their memory, which all of its server processes count in and which
/// outlives each of them, and what it counts itself.
enum SupervisorMetrics {
    /// Makes the memory and has the supervisor count. The first of ``Supervisor/Plan/memories``.
    static func add(to plan: inout Supervisor.Plan) throws(SystemError) {
        let shared = try SharedMemory(
            name: "websockethost-metrics", byteCount: MetricsMemory.byteCount)
        plan.memories.append(shared)
        guard let memory = MetricsMemory(shared.base, byteCount: shared.byteCount, owner: shared)
        else { return }
        // No server process has this place.
        let place = MetricsPlace(ProcessRole.placeLimit, in: memory)
        place.note(processID: Int(getpid()))
        place.note(startTime: ServerMetrics.nanosecondsSince1970())
        plan.processStarted = { reason in place.countStart(ProcessStartReason(reason)) }
        let freed = plan.placeFreed
        plan.placeFreed = { number in
            freed(number)
            memory.free(place: number)
        }
    }
}

extension ProcessStartReason {
    fileprivate init(_ reason: StartReason) {
        switch reason {
        case .start: self = .start
        case .change: self = .change
        case .signal: self = .signal
        case .trap: self = .trap
        case .end: self = .end
        }
    }
}

extension SupervisedServer {
    /// Where this process counts.
    ///
    /// - Throws: if the memory cannot be used, or there is none of its own either.
    func metrics() throws(SystemError) -> ServerMetrics {
        guard let descriptor = role.memoryDescriptors.first else { return try ServerMetrics() }
        return try ServerMetrics(
            in: try SharedMemory(adopting: descriptor), place: role.place, log: log)
    }
}
