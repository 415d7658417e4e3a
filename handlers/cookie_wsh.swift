import WebSocketHost

/// Sets cookies in the answer to the handshake: /cookie?set, /cookie?set_httponly, /cookie?clear.
///
/// Try it: connect with one of these queries, then look at the cookies in the browser's tools.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        if request.query.contains("set") {
            try request.responseFields.append("Set-Cookie", "foo=bar; Max-Age=86400")
        } else if request.query.contains("set_httponly") {
            try request.responseFields.append(
                "Set-Cookie", "httpOnlyFoo=bar; Max-Age=86400; HttpOnly")
        } else if request.query.contains("clear") {
            try request.responseFields.append("Set-Cookie", "foo=0; Max-Age=0")
            try request.responseFields.append("Set-Cookie", "httpOnlyFoo=0; Max-Age=0; HttpOnly")
        }
    },
    transferData: { _ in }
)
