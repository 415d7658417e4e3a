import ClientLimits
import EventLoop
import Processes
import Supervisor
import WebSocketHost

/// What a supervisor keeps of its clients: a ``ClientTable``, which all of its server processes
/// share and which outlives each of them.
enum SupervisorClients {
    /// Its place among ``Supervisor/Plan/memories``: the metrics' are the first.
    fileprivate static let memoryIndex = 1

    static func add(to plan: inout Supervisor.Plan) throws(SystemError) {
        let memory = try ClientTable.memory(placeCount: ProcessRole.placeLimit)
        plan.memories.append(memory)
        let clients = ClientTable(memory, place: 0)
        let freed = plan.placeFreed
        plan.placeFreed = { place in
            freed(place)
            clients?.clear(place: place)
        }
    }
}

extension SupervisedServer {
    /// What all server processes know of their clients.
    ///
    /// - Returns: `nil` if the supervisor is of another version of this program; the log says so,
    ///   if that makes a difference.
    func clients(_ configuration: Configuration) throws(SystemError) -> ClientTable? {
        let descriptor = role.memoryDescriptors.dropFirst(SupervisorClients.memoryIndex).first
        var table: ClientTable?
        if let descriptor {
            table = ClientTable(try SharedMemory(adopting: descriptor), place: role.place)
        }
        if table == nil && configuration.limitsAddresses {
            log(
                .warning,
                "the supervisor is of another version: limits of addresses hold for this process "
                    + "alone until the server is started again")
        }
        return table
    }
}
