import Synchronization

/// What handlers leave for each other under a key.
public let stash = Stash()

/// Texts under keys: each is taken once, in the order in which they were put there.
public final class Stash: Sendable {
    private struct Shelf {
        var texts: [String] = []
        /// Those who wait, the longest first. There are none while there are texts.
        var waiting: [(number: Int, continuation: CheckedContinuation<String, any Error>)] = []
    }

    private struct State {
        var shelves: [String: Shelf] = [:]
        var lastNumber = 0
    }

    private let state = Mutex(State())

    /// How many texts there are, or, below zero, how many wait for one.
    public func count(_ key: String) -> Int {
        state.withLock { state in
            let shelf = state.shelves[key] ?? Shelf()
            return shelf.texts.count - shelf.waiting.count
        }
    }

    public func put(_ text: String, for key: String) {
        let taker = state.withLock { state -> CheckedContinuation<String, any Error>? in
            var shelf = state.shelves[key] ?? Shelf()
            defer { state.shelves[key] = shelf }
            guard shelf.waiting.isEmpty else { return shelf.waiting.removeFirst().continuation }
            shelf.texts.append(text)
            return nil
        }
        taker?.resume(returning: text)
    }

    /// Waits until there is a text.
    ///
    /// - Throws: `CancellationError`, for a connection that ended while its handler waits here.
    public func take(_ key: String) async throws -> String {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let text = state.withLock { state -> Result<String, any Error>? in
                    var shelf = state.shelves[key] ?? Shelf()
                    defer { state.shelves[key] = shelf }
                    if !shelf.texts.isEmpty { return .success(shelf.texts.removeFirst()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    shelf.waiting.append((number, continuation))
                    return nil
                }
                if let text { continuation.resume(with: text) }
            }
        } onCancel: {
            cancel(number, key)
        }
    }

    private func cancel(_ number: Int, _ key: String) {
        let taker = state.withLock { state -> CheckedContinuation<String, any Error>? in
            guard let index = state.shelves[key]?.waiting.firstIndex(where: { $0.number == number })
            else { return nil }
            return state.shelves[key]?.waiting.remove(at: index).continuation
        }
        taker?.resume(throwing: CancellationError())
    }
}
