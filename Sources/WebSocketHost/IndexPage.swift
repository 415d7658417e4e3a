/// placeholder until the page is written
enum IndexPage {
    static func html(_ routes: Routes) -> String { "<!doctype html><title>WebSocketHost</title>" }
}
