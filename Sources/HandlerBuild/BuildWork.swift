import EventLoop
import Glibc
import HandlerRegistry

/// One build under way: from files to compiled modules. ``link(to:isBuilt:)`` makes the program.
struct BuildWork {
    /// A handler file, and what became of it.
    struct Handler {
        var item: BuildRecord.Item
        let module: String
        /// Of the module that this file is; the one that is linked may be an older one.
        let key: String
        /// Why it does not compile or cannot be linked, with absolute paths.
        var errors = ""
        /// What is to be shown: errors and warnings.
        var messages = ""
        /// Only says that helper code does not compile.
        var isWaiting = false
        var wasCompiledNow = false
    }

    let modules: HandlerModules
    let files: HandlerFiles
    let before: BuildRecord?
    let purpose: Build.Purpose
    let output: BuildOutput
    var handlers: [Handler] = []
    /// Of all helper files; empty: there are none.
    let helpersIdentity: String
    let helpersKey: String
    private(set) var helperErrors = ""
    private var brokenHelpers: Set<ExactText> = []
    /// Whether a message was shown.
    var hasShown = false
    var link = ""
    var listKey = ""

    init(
        modules: HandlerModules, files: HandlerFiles, before: BuildRecord?,
        purpose: Build.Purpose, output: BuildOutput
    ) {
        self.modules = modules
        self.files = files
        self.before = before
        self.purpose = purpose
        self.output = output
        let parts = files.helpers.flatMap { [$0.path, $0.digest] }
        helpersIdentity = parts.isEmpty ? "" : Digest.of(parts)
        helpersKey =
            parts.isEmpty
            ? "" : Digest.of(modules.identity, HandlerModules.helpersModule, helpersIdentity)
    }

    var root: String { modules.directory.root }
    var helpersFail: Bool { !helperErrors.isEmpty }

    /// All errors, in the order of the files.
    var errors: String { helperErrors + handlers.map(\.errors).joined() }

    var record: BuildRecord {
        var record = BuildRecord()
        record.server = modules.options.server.identity
        record.link = link
        record.items = files.helpers.map { file in
            let isBroken = brokenHelpers.contains(file.exactPath)
            return BuildRecord.Item(file: file, state: isBroken ? .broken : .good)
        }
        record.items += handlers.map(\.item)
        record.items += files.programs.map { BuildRecord.Item(file: HandlerFile($0)) }
        return record
    }

    // MARK: - Compiling

    /// Compiles what is not compiled yet: helper code first, then handlers side by side.
    mutating func compile() throws(BuildError) {
        try compileHelpers()
        var sources: [ExactText: [UInt8]] = [:]
        for file in files.handlers { handlers.append(try prepare(file, &sources)) }
        try compileHandlers(&sources)
        for index in handlers.indices { settle(index) }
        showMessages()
    }

    private mutating func compileHelpers() throws(BuildError) {
        guard !helpersKey.isEmpty else { return }
        let name = HandlerModules.helpersModule
        if !modules.isCompiled(name, helpersKey) {
            try compileHelperModule(name)
        }
        if helpersFail && purpose == .rebuild {
            // Beside a server that runs: it goes on as it is.
            output.message(modules.directory.shortened(helperErrors))
            throw BuildError("all handlers wait for the helper code to compile")
        }
        if !helpersFail { try modules.publishHelpers(helpersKey) }
    }

    private mutating func compileHelperModule(_ name: String) throws(BuildError) {
        if let known = modules.errors(helpersKey) {
            helperErrors = known
        } else {
            let (copies, unread) = try modules.copyHelpers(files.helpers)
            guard unread.isEmpty else { return failUnread(unread) }
            for copy in copies { noteName(copy) }
            let command = try modules.command(
                name, key: helpersKey, options: modules.options.handler, imports: [],
                sources: copies.map(\.copy))
            let isCompiled = try modules.runner.run(command)
            let output = CompilerOutput(modules.log(helpersKey), root: root, copies: copies)
            let messages = CompilerMessages.ofHelperCode(output, isCompiled: isCompiled)
            let text = messages.map { $0.text(under: root) }.joined()
            if !isCompiled { helperErrors = text }
            try modules.finish(helpersKey, errors: helperErrors)
            if purpose != .rebuild || isCompiled { show(text) }
        }
        for file in files.helpers
        where helperErrors.contains("\(modules.directory.absolute(file.path)):") {
            brokenHelpers.insert(file.exactPath)
        }
    }

    /// Nothing is kept of this: the next build tries again.
    private mutating func failUnread(_ helpers: [HandlerFile]) {
        helperErrors = helpers.map { file in
            Diagnostic.error(
                inFile: file.path, "the file cannot be read, or changes while it is read"
            ).text(under: root)
        }.joined()
        brokenHelpers.formUnion(helpers.map(\.exactPath))
        if purpose != .rebuild { show(helperErrors) }
    }

    private func noteName(_ copy: CompilerOutput.Copy) {
        let directory = modules.directory
        let path = String(
            Substring(copy.original.utf8.dropFirst(directory.absolute("").utf8.count)))
        let source = (try? FileSystem.read(copy.copy)) ?? []
        if let notice = NameNotice.text(path: path, source: source) { output.note(notice) }
    }

    /// What is known of a handler file before anything is compiled.
    private func prepare(
        _ file: HandlerFile, _ sources: inout [ExactText: [UInt8]]
    ) throws(BuildError) -> Handler {
        let module = moduleName(of: file.path)
        let earlier = before?.byPath[file.exactPath]
        var file = file
        var usesHelpers = false
        if let earlier, earlier.file.digest == file.digest, earlier.state == .good,
            before?.server == modules.options.server.identity
        {
            usesHelpers = !earlier.helpers.isEmpty
        } else if let content = try modules.copy(file, module: module) {
            sources[file.exactPath] = content
            file.digest = Digest.of(content)
            usesHelpers = !helpersKey.isEmpty && content.contains(helpersWord)
        }
        let helpers = usesHelpers ? helpersIdentity : ""
        let key = Digest.of(modules.identity, module, file.path, file.digest, helpers)
        return Handler(
            item: BuildRecord.Item(file: file, key: key, helpers: helpers), module: module,
            key: key)
    }

    private mutating func compileHandlers(_ sources: inout [ExactText: [UInt8]]) throws(BuildError)
    {
        var commands: [Command] = []
        var indices: [Int] = []
        for index in handlers.indices
        where !modules.isCompiled(handlers[index].module, handlers[index].key) {
            let handler = handlers[index]
            if let known = modules.errors(handler.key) {
                handlers[index].errors = known
                handlers[index].messages = known
                continue
            }
            let file = handler.item.file
            if sources[file.exactPath] == nil {
                sources[file.exactPath] = try modules.copy(file, module: handler.module)
            }
            guard sources[file.exactPath] != nil else {
                let error = Diagnostic.error(inFile: file.path, "the file cannot be read")
                handlers[index].errors = error.text(under: root)
                handlers[index].messages = handlers[index].errors
                handlers[index].wasCompiledNow = true
                continue
            }
            let folder = "\(modules.state)/modules/\(handler.module)"
            let hasHelpers = !helpersKey.isEmpty && !helpersFail
            commands.append(
                try modules.command(
                    handler.module, key: handler.key, options: modules.options.handler,
                    imports: hasHelpers ? [modules.folder(helpersKey)] : [],
                    sources: [folder + "/handler.swift", folder + "/export.swift"]))
            indices.append(index)
        }
        var isCompiled = Set<Int>()
        var count = 0
        let total = commands.count
        try modules.runner.run(commands, limit: ProcessorCount.available) { index, isSuccess in
            if isSuccess { isCompiled.insert(index) }
            count += 1
            output.stepOnTerminal(
                "compiled \(count) of \(total) handlers of \(modules.directory.shown)")
        }
        for (number, index) in indices.enumerated() {
            try finish(&handlers[index], sources, isCompiled: isCompiled.contains(number))
        }
    }

    /// After the compiler has ended for a handler file.
    private func finish(
        _ handler: inout Handler, _ sources: [ExactText: [UInt8]], isCompiled: Bool
    ) throws(BuildError) {
        let path = handler.item.file.path
        let source = sources[ExactText(path)] ?? []
        let output = CompilerOutput(
            modules.log(handler.key), root: root,
            copies: [modules.copyOfHandler(handler.item.file, module: handler.module)])
        var messages = CompilerMessages.ofHandler(
            path, source: source,
            export: "\(modules.state)/modules/\(handler.module)/export.swift", output,
            isCompiled: isCompiled)
        let object = "\(modules.folder(handler.key)).part/\(handler.module).o"
        if isCompiled, ObjectFile.contains(object, CompilerOptions.entryPoint) {
            messages.diagnostics.append(MainAttribute.error(inFile: path, source: source))
        }
        handler.wasCompiledNow = true
        handler.messages = messages.text(under: root)
        if messages.hasError { handler.errors = handler.messages }
        if helpersFail && messages.lacksHelperCode {
            handler.isWaiting = true
            handler.errors = "helper code that it imports does not compile: \(helperErrors)"
        }
        if messages.hasError && isCompiled { FileSystem.remove(object) }
        if isCompiled || output.isDefinite {
            try modules.finish(handler.key, errors: handler.errors)
        }
    }

    /// What no file of this build needs goes.
    func removeUnused() {
        var used: Set<String> = [helpersKey, listKey]
        for handler in handlers { used.formUnion([handler.key, handler.item.key]) }
        modules.removeAll(but: used, modules: Set(handlers.map(\.module)))
    }

    /// Where the modules lie that the list imports.
    var imports: [String] {
        var folders = handlers.filter { $0.item.state != .broken }
            .map { modules.folder($0.item.key) }
        if !helpersKey.isEmpty && !helpersFail { folders.append(modules.folder(helpersKey)) }
        return folders
    }

    /// Of helper code, and of handlers by their paths.
    var objects: (helpers: String?, handlers: [(index: Int, path: String)]) {
        let helpers =
            helpersKey.isEmpty || helpersFail
            ? nil : modules.object(HandlerModules.helpersModule, helpersKey)
        let all = handlers.indices.filter { handlers[$0].item.state != .broken }.map {
            ($0, modules.object(handlers[$0].module, handlers[$0].item.key))
        }
        return (helpers, all)
    }
}

private let helpersWord = Array(HandlerModules.helpersModule.utf8)

extension CompilerOutput {
    /// Whether the same source will give the same again: a disk that is full may not be tomorrow.
    var isDefinite: Bool {
        hasCrashed
            || diagnostics.contains { diagnostic in
                if case .other("", _, _) = diagnostic.place { return false }
                return diagnostic.severity == .error
            }
    }
}

/// How many things can be compiled at a time.
enum ProcessorCount {
    static var available: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
