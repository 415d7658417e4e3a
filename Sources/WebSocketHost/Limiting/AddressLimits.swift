import ClientLimits
import EventLoop
import Glibc
import Processes

/// What one client may have and do, known by its address: see ``Configuration``. Counted over all
/// server processes that share ``ClientTable``.
struct AddressLimits: Sendable {
    let table: ClientTable
    /// `nil`: any number.
    let connectionLimit: Int?
    /// `nil`: as often as it likes.
    let handshakeRate: RateLimit?

    /// - Parameter shared: the table of all server processes; `nil`: this one has its own.
    /// - Returns: `nil` if there is no such limit: then no connection pays for it.
    /// - Throws: ``SystemError`` if there is no memory for a table.
    init?(_ configuration: Configuration, _ shared: ClientTable?) throws(SystemError) {
        connectionLimit = configuration.connectionsPerAddressLimit
        handshakeRate = configuration.handshakesPerMinuteLimit.map {
            RateLimit($0, in: .seconds(60), burst: $0)
        }
        guard configuration.limitsAddresses else { return nil }
        if let shared { table = shared } else { table = try .ofProcess() }
    }
}

extension Configuration {
    /// Whether there is any limit of ``AddressLimits``.
    package var limitsAddresses: Bool {
        connectionsPerAddressLimit != nil || handshakesPerMinuteLimit != nil
    }
}

extension ClientTable {
    /// Memory that another process made.
    ///
    /// - Returns: `nil` if it is of another version of this program.
    package convenience init?(_ memory: SharedMemory, place: Int) {
        self.init(memory.base, byteCount: memory.byteCount, place: place, owner: memory)
    }

    /// One that no other process shares.
    fileprivate static func ofProcess() throws(SystemError) -> ClientTable {
        let memory = try memory(placeCount: 1)
        guard let table = ClientTable(memory, place: 0) else {
            throw SystemError("mmap", code: ENOMEM)
        }
        return table
    }

    /// Memory for a table.
    ///
    /// - Parameter placeCount: of processes that share it.
    package static func memory(placeCount: Int) throws(SystemError) -> SharedMemory {
        let memory = try SharedMemory(
            name: "client-limits", byteCount: byteCount(placeCount: placeCount))
        prepare(memory.base, placeCount: placeCount)
        return memory
    }
}
