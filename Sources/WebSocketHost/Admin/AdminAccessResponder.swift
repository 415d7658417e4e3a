import EventLoop
import HTTPProtocol
import HTTPServer

/// Keeps web pages away from what is for the owner of a server: any page in the owner's browser can
/// send requests to addresses that only the owner reaches.
///
/// | request                                     | answer                                     |
/// | ------------------------------------------- | ------------------------------------------ |
/// | with an `Origin`, which only browsers send  | 403                                        |
/// | over TCP, for a host that is not this one's | 403: the page of a stranger whose name has |
/// |                                             | this address now (DNS rebinding)           |
/// | others                                      | by the next responder                      |
final class AdminAccessResponder: Responder {
    private let ownHosts: OwnHosts

    init(_ ownHosts: OwnHosts) { self.ownHosts = ownHosts }

    func respond(to request: inout Request, _ exchange: Exchange) -> Reply {
        if request.head.fields.contains("Origin") {
            return .response(
                Response(
                    .forbidden, text: "No page of a browser may ask here: remove the field Origin."
                ))
        }
        let isOwn =
            exchange.stream.peer.family == .unix || ownHosts.contain(request, exchange)
        guard !isOwn else { return .pass }
        return .response(
            Response(
                .forbidden,
                text: "This answers only to localhost, to the address that it listens on, and to "
                    + "the names of --server-name."))
    }
}
