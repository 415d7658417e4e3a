import Glibc
import WebSocketHost

/// A share that nobody trades.
struct Share {
    let name: String
    var price = 10_000  // cents

    mutating func move() { price += .random(in: -price / 100...price / 100) }

    func json(_ number: Int) -> String {
        #"{"share":"\#(name)","price":\#(price),"number":\#(number),"process":\#(getpid())}"#
    }
}

/// Prices, each second, as JSON, to whoever is connected.
///
/// The feed runs once, for all connections and all server processes. A client that reads slowly
/// gets the latest price of each share. Try it with `./standalone.sh --watch -d handlers/pages`:
/// open http://localhost:9998/ticker.html in two windows, save this file.
public let handler = WebSocketHandler(
    slowSubscribers: .latest,
    feed: { serving in
        var shares = [Share(name: "Ada"), Share(name: "Grace"), Share(name: "Mary")]
        var number = 0
        while true {
            number += 1
            for index in shares.indices {
                shares[index].move()
                let share = shares[index]
                serving.publish(share.json(number), to: "ticker", key: share.name)
            }
            try await serving.sleep(for: .seconds(1))
        }
    },
    transferData: { socket in
        try await socket.subscribe(to: "ticker")
        while try await socket.receive() != nil {}
    }
)
