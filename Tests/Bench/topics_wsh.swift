import WebSocketHost

/// What Tests/Bench/scale measures: `?first=F&each=E&of=T` subscribes to E topics from number F on,
/// modulo T. A message goes to the topic that its first eight characters name.
public let handler = WebSocketHandler { socket in
    let query = socket.request.query
    let first = number(query["first"])
    let count = max(1, number(query["of"]))
    for index in 0..<number(query["each"]) {
        try await socket.subscribe(to: name((first + index) % count))
    }
    for try await case .text(let text) in socket {
        let topic = String(decoding: text.utf8.prefix(nameLength), as: UTF8.self)
        socket.topics.publish(text, to: topic)
    }
}

private let nameLength = 8

private func number(_ text: String?) -> Int { text.flatMap { UInt32($0) }.map(Int.init) ?? 0 }

private func name(_ number: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, nameLength - digits.count)) + digits
}
