import HTTPProtocol

extension Exchange {
    /// What an answer depends on beside its content.
    struct PlainRequest {
        let version: HTTPVersion
        let isHead: Bool
        var isLast: Bool
        let isUpgrade: Bool
        /// What a script's local redirect keeps of the request.
        let redirectFields: Fields

        init(_ head: RequestHead, isUpgrade: Bool) {
            // A body would have to be read to find the next request, and a refused handshake has
            // clients that wait for the end.
            self.init(head, isLast: isUpgrade || head.hasBody || !head.wantsKeepAlive, isUpgrade)
        }

        /// For an answer that comes when the body has been read.
        init(afterBodyOf head: RequestHead) {
            self.init(head, isLast: !head.wantsKeepAlive, false)
        }

        private init(_ head: RequestHead, isLast: Bool, _ isUpgrade: Bool) {
            version = head.version
            isHead = head.method == "HEAD"
            self.isLast = isLast
            self.isUpgrade = isUpgrade
            redirectFields = head.fields
        }

        /// The same before the body was read, which is not looked for any more.
        var last: PlainRequest {
            var request = self
            request.isLast = true
            return request
        }
    }
}
