import Counting
import EventLoop
import Glibc
import Logging
import Metrics
import Processes
import Synchronization
import Topics

/// What a server counts, and the text that says it.
package final class ServerMetrics: Sendable {
    let place: MetricsPlace

    /// Of a server that shares its counts with no other process.
    package init() throws(SystemError) {
        place = try Self.ownPlace()
        place.note(startTime: Self.nanosecondsSince1970())
        place.note(processID: Int(getpid()))
    }

    /// Of a server process that goes on counting where others have counted before.
    ///
    /// - Parameters:
    ///   - shared: what all of them have.
    ///   - place: that of this process.
    package init(in shared: SharedMemory, place: Int, log: Log) throws(SystemError) {
        let memory = MetricsMemory(shared.base, byteCount: shared.byteCount, owner: shared)
        if memory == nil {
            log(
                .warning,
                "the supervisor is of another version: metrics begin anew in each process, until "
                    + "the server is started again")
        }
        self.place =
            if let memory { MetricsPlace(place, in: memory) } else { try Self.ownPlace() }
        self.place.note(processID: Int(getpid()))
    }

    private static func ownPlace() throws(SystemError) -> MetricsPlace {
        let own = try SharedMemory(
            name: "websockethost-metrics", byteCount: MetricsMemory.ownByteCount)
        guard let memory = MetricsMemory(own.base, byteCount: own.byteCount, owner: own) else {
            preconditionFailure("zeros are taken for metrics of another version")
        }
        return MetricsPlace(0, in: memory)
    }

    package static func nanosecondsSince1970() -> Int { nanoseconds(of: CLOCK_REALTIME) }

    /// Counts what is published by this broker.
    func count(_ topics: TopicBroker) {
        topics.countPublications(
            in: place.process.from(ProcessCells.published), keeping: self)
    }
}

// MARK: - On the control loop's thread

extension ServerMetrics {
    /// Counts the processor time since the last call.
    ///
    /// - Parameter before: what this process had taken then; 0 the first time.
    /// - Returns: what it has taken now.
    func countProcessorTime(since before: Int) -> Int {
        let now = nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID)
        place.process.add(now - before, to: ProcessCells.processorTime)
        return now
    }

    /// The longest that a loop let something wait of late.
    func note(loopLag: Duration) {
        place.process.set(ProcessCells.loopLag, to: Int(loopLag.wholeNanoseconds))
    }
}

// MARK: - The text

extension ServerMetrics {
    /// All metrics. From any thread.
    func text(_ format: MetricsFormat) -> [UInt8] {
        let memory = place.memory
        let processes = Set(memory.processIDs)
        let given = GivenValues(
            version: Product.version,
            residentByteCount: processes.reduce(0) {
                $0 + ProcessFigures.residentByteCount(of: $1)
            },
            openDescriptorCount: processes.reduce(0) {
                $0 + ProcessFigures.openDescriptorCount(of: $1)
            })
        return memory.text(given, format)
    }
}

private func nanoseconds(of clock: clockid_t) -> Int {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
}
