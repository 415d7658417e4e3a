import EventLoop
import HandlerBuild
import WebSocketHost

/// Something that an option names cannot be used; the description is one line for a person.
struct SetUpError: Error, CustomStringConvertible {
    let description: String
}

extension Settings {
    /// Opens the document root and reads the passwords.
    mutating func setUpSite(_ log: Log) throws(SetUpError) {
        if let documentRoot {
            do throws(SystemError) {
                configuration.documentRoot = try DocumentRoot(
                    path: documentRoot, handlersDirectory: handlers.directory ?? "handlers",
                    scriptPaths: scriptPaths)
            } catch {
                throw SetUpError(
                    description: "-d, --document-root: '\(escaped(documentRoot))': \(error)")
            }
        }
        guard asksForPassword else { return }
        do throws(PasswordFileError) {
            if let passwordFile {
                configuration.basicAuthentication = try BasicAuthentication(file: passwordFile)
            } else {
                configuration.basicAuthentication = try BasicAuthentication(
                    credential: credential ?? Self.defaultCredential)
            }
        } catch {
            let option = passwordFile == nil ? "--basic-auth-credential" : "--basic-auth-file"
            throw SetUpError(description: "\(option): \(error)")
        }
        if credential == nil && passwordFile == nil {
            log(
                .warning,
                "--basic-auth lets in \(Self.defaultCredential), which everybody knows: give "
                    + "--basic-auth-credential or --basic-auth-file")
        }
    }

    /// What is served beside handlers, for people.
    var siteLines: [String] {
        var lines: [String] = []
        if let documentRoot {
            lines.append("  files of \(escaped(documentRoot)) (-d)")
            if !scriptPaths.isEmpty {
                lines.append(
                    "  scripts of \(escaped(scriptPaths.joined(separator: ", "))) in it (-x)")
            }
        }
        if asksForPassword {
            let whom = passwordFile.map { "the users of \(escaped($0))" } ?? "one user"
            lines.append("  to \(whom) only (--basic-auth)")
        }
        return lines
    }
}
