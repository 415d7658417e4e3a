// What becomes of handler files that do not compile, and what the author reads of them.

extension BuildWork {
    // MARK: - What becomes of a file with errors

    /// Decides what goes into the program.
    mutating func settle(_ index: Int) {
        let handler = handlers[index]
        guard !handler.errors.isEmpty else { return }
        handlers[index].item.state = .broken
        handlers[index].item.key = ""
        handlers[index].item.helpers = ""
        guard purpose == .rebuild, let earlier = before?.byPath[handler.item.file.exactPath],
            earlier.key != handler.key, isUsable(earlier, handler.module)
        else { return }
        handlers[index].item.state = .kept
        handlers[index].item.key = earlier.key
        handlers[index].item.helpers = earlier.helpers
    }

    /// Whether an earlier module goes with the present server and helper code.
    private func isUsable(_ earlier: BuildRecord.Item, _ module: String) -> Bool {
        before?.server == modules.options.server.identity
            && (earlier.helpers.isEmpty || earlier.helpers == helpersIdentity)
            && modules.isCompiled(module, earlier.key)
    }

    /// - Parameter errors: a line each, with absolute paths.
    mutating func blame(_ index: Int, errors: String) {
        handlers[index].errors = errors
        settle(index)
        let earlier = before?.byPath[handlers[index].item.file.exactPath]
        let isKnown =
            earlier?.file.digest == handlers[index].item.file.digest && earlier?.state != .good
        if !isKnown { show(errors) }
    }

    // MARK: - Messages

    /// Those of this run, sorted by file; those that only wait for helper code in one line.
    mutating func showMessages() {
        var text = ""
        var waiting: [String] = []
        for handler in handlers where isNews(handler) {
            if handler.isWaiting {
                waiting.append(handler.item.file.path)
            } else {
                text += handler.messages
            }
        }
        show(text)
        guard !waiting.isEmpty else { return }
        output.note(
            "left out until the helper code compiles, which they import: "
                + waiting.joined(separator: ", "))
    }

    private func isNews(_ handler: Handler) -> Bool {
        if handler.wasCompiledNow { return true }
        if handler.errors.isEmpty || purpose == .rebuild { return false }
        let earlier = before?.byPath[handler.item.file.exactPath]
        return earlier?.file.digest != handler.item.file.digest || earlier?.state != .broken
    }

    mutating func show(_ text: String) {
        guard !text.isEmpty else { return }
        output.message(modules.directory.shortened(text))
        hasShown = true
    }
}
