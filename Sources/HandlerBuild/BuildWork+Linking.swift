import EventLoop
import HandlerRegistry

// From compiled modules to a program.

extension BuildWork {
    /// Links the program. Handlers that keep it from being linked are left out.
    ///
    /// - Parameter isBuilt: whether there is a program of ``before``.
    /// - Returns: whether there is a new one; not if it would be the same.
    mutating func link(to program: String, isBuilt: Bool) throws(BuildError) -> Bool {
        while true {
            try compileList()
            let objects = objects
            let inputs =
                [modules.object("standalone", listKey)] + objects.handlers.map(\.path)
                + (objects.helpers.map { [$0] } ?? [])
            link = Digest.of([modules.identity] + inputs)
            if isBuilt && before?.link == link { return false }
            if try link(inputs, to: program) { return true }
            try blameHandlers(objects.handlers)
        }
    }

    /// The list of all handlers, and the program's first lines: one small module. It stays as it is
    /// when only what handlers do changed.
    private mutating func compileList() throws(BuildError) {
        let root = modules.directory.root
        let text = RegistrySource.list(
            handlers.map { handler in
                let path = handler.item.file.path
                guard handler.item.state == .broken else {
                    return .init(path: path, source: .exported(handler.module))
                }
                let failure = FileMessages.shortened(handler.errors, root: root, to: "")
                return .init(path: path, source: .failure(failure))
            })
        listKey = Digest.of(modules.identity, "list", text)
        if modules.isCompiled("standalone", listKey) { return }
        let list = modules.state + "/Registry.swift"
        try FileSystem.write(text, to: list)
        let command = try modules.command(
            "standalone", key: listKey, options: modules.options.common, imports: imports,
            sources: [modules.mainFile, list])
        guard try modules.runner.run(command) else { throw giveUp(modules.log(listKey)) }
        try modules.finish(listKey, errors: "")
    }

    /// Of the two ways in which a program is linked.
    private var linkLogs: [String] {
        [modules.state + "/static.log", modules.state + "/dynamic.log"]
    }

    private func link(_ inputs: [String], to program: String) throws(BuildError) -> Bool {
        let file = modules.state + "/link"
        for log in linkLogs { FileSystem.remove(log) }
        // Not in quotation marks, in which the compiler driver misreads an apostrophe.
        let lines = inputs.map { input in
            let escaped = input.map { " \t'\"\\".contains($0) ? "\\\($0)" : String($0) }
            return escaped.joined() + "\n"
        }
        try FileSystem.write(lines.joined(), to: file)
        // Not with Foundation, which would have to be compiled for it. What cannot be linked so (a
        // library that is there in one form only) is linked as usual.
        let options = modules.options
        let hasFoundation =
            !options.isStandalone && inputs.contains { ObjectFile.contains($0, "-lFoundation") }
        if options.server.linksRuntime && !hasFoundation,
            try link(options.staticLink, file, program, log: linkLogs[0])
        {
            return true
        }
        if options.isStandalone && options.server.linksRuntime { return false }
        return try link(options.dynamicLink, file, program, log: linkLogs[1])
    }

    private func link(
        _ flags: [String], _ file: String, _ program: String, log: String
    ) throws(BuildError) -> Bool {
        try modules.runner.run(
            Command(
                arguments: [modules.toolchain.compiler, "-emit-executable", "@\(file)"] + flags
                    + ["-o", program],
                log: log))
    }

    /// Handlers that were linked before are not blamed for what a new one brings.
    private mutating func blameHandlers(
        _ objects: [(index: Int, path: String)]
    ) throws(BuildError) {
        // A linker names object files, or the sources that they say they are made from.
        var paths: [ExactText: String] = [:]
        for (index, object) in objects {
            let path = handlers[index].item.file.path
            paths[ExactText(object)] = path
            paths[ExactText(modules.directory.absolute(path))] = path
        }
        let logs = linkLogs.map { (try? FileSystem.read($0)) ?? [] }
        var blamed: [FileMessages] = []
        for log in logs where blamed.isEmpty {
            blamed = LinkerMessages.blamed(log, objects: paths)
        }
        let linkedBefore = Set((before?.items ?? []).filter { !$0.key.isEmpty }.map(\.key))
        func isNew(_ messages: FileMessages) -> Bool {
            handlers.contains {
                $0.item.file.path.isExactly(messages.path) && !linkedBefore.contains($0.item.key)
            }
        }
        if blamed.contains(where: isNew) { blamed.removeAll { !isNew($0) } }
        guard !blamed.isEmpty else { throw giveUp(logs.last { !$0.isEmpty } ?? []) }
        for messages in blamed {
            guard
                let index = handlers.firstIndex(where: {
                    $0.item.file.path.isExactly(messages.path)
                })
            else { continue }
            blame(index, errors: messages.text(under: modules.directory.root))
        }
    }

    /// Not a handler's fault.
    private func giveUp(_ log: [UInt8]) -> BuildError {
        output.message(modules.directory.shortened(String(decoding: log, as: UTF8.self)))
        return BuildError("the build failed; this is not a handler's fault")
    }
}
