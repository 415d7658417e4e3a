import EventLoop

/// The messages for the authors of a module's files, from what the compiler wrote about it.
package enum CompilerMessages {
    /// All messages about a handler's module, whatever file they name. If the module was not
    /// compiled, at least one is an error that names the handler's file: `#sourceLocation` in it
    /// may give others another place.
    ///
    /// - Parameters:
    ///   - path: of the handler file, below the handlers directory.
    ///   - source: what the file has, for hints.
    ///   - export: where ``RegistrySource/export`` was compiled from, as the compiler names it.
    ///   - isCompiled: whether there is an object file.
    package static func ofHandler(
        _ path: String, source: [UInt8], export: String, _ output: CompilerOutput,
        isCompiled: Bool
    ) -> FileMessages {
        var messages = FileMessages(path, [])
        var exportErrors: [Diagnostic] = []
        for diagnostic in output.diagnostics {
            if case .other(export, _, _) = diagnostic.place {
                exportErrors.append(diagnostic)
            } else {
                messages.diagnostics.append(diagnostic.located(in: path))
            }
        }
        if let exportError = exportErrors.first(where: { $0.severity == .error }) {
            let error = ExportError(exportError)
            // After another error the compiler may not have read as far as the handler.
            if error.isCertain || !messages.hasError {
                messages.diagnostics.append(error.diagnostic(path))
            }
        }
        if !isCompiled, !messages.hasError {
            messages.diagnostics.append(.error(inFile: path, unexplained(output)))
        }
        if messages.hasError, !messages.diagnostics.contains(where: { $0.isError(in: path) }) {
            let error = "the file does not compile; the messages name another place"
            messages.diagnostics.insert(.error(inFile: path, error), at: 0)
        }
        Hints.add(to: &messages, source: source)
        return messages
    }

    /// The messages about helper code, by file. If it was not compiled, at least one is an error.
    ///
    /// - Parameter isCompiled: whether there is an object file.
    package static func ofHelperCode(_ output: CompilerOutput, isCompiled: Bool) -> [FileMessages] {
        var byPath: [ExactText: [Diagnostic]] = [:]
        for diagnostic in output.diagnostics {
            var path = ""
            if case .author(let file, _, _) = diagnostic.place { path = file }
            byPath[ExactText(path), default: []].append(diagnostic)
        }
        var all = byPath.map { FileMessages($0.key.text, $0.value) }
        if !isCompiled, !all.contains(where: \.hasError) {
            let place = Diagnostic.Place.other("helper code", line: 1, column: 1)
            all.append(FileMessages("", [Diagnostic(.error, at: place, unexplained(output))]))
        }
        for index in all.indices { Hints.add(to: &all[index], source: nil) }
        return FileMessages.sorted(all)
    }

    /// Nothing was compiled, and no error says why.
    private static func unexplained(_ output: CompilerOutput) -> String {
        output.hasCrashed ? "the compiler crashed" : "the compiler ended without a message"
    }
}

extension Diagnostic {
    fileprivate func isError(in path: String) -> Bool {
        if case .author(path, _, _) = place { severity == .error } else { false }
    }

    /// A message without a place is about the whole file.
    fileprivate func located(in path: String) -> Diagnostic {
        guard case .other("", _, _) = place else { return self }
        var diagnostic = self
        diagnostic.place = .author(path, line: 1, column: 1)
        return diagnostic
    }
}
