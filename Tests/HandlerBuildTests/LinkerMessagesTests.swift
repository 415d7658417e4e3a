import EventLoop
import HandlerBuild
import TestSupport
import Testing

/// The texts are those of GNU ld and gold 2.40 and of the toolchain's lld.
@Suite("What linkers write")
struct LinkerMessagesTests {
    private static let undefined = "it uses the symbol 'none', which nothing defines"

    static let outputs: [Row<String, [String: String]>] = [
        Row(
            "lld, undefined",
            """
            ld.lld: error: undefined symbol: none
            >>> referenced by a.o
            >>>               /b u'i/a.o:($s2u11fyyF)
            clang: error: linker command failed with exit code 1 (use -v to see invocation)
            """, ["a_wsh.swift": undefined]),
        Row(
            "gold, undefined",
            """
            /b u'i/a.o:a.o:function $s2u11fyyF: error: undefined reference to 'none'
            clang: error: linker command failed with exit code 1 (use -v to see invocation)
            """, ["a_wsh.swift": undefined]),
        Row(
            "gold, which names the source",
            #"/site/\"odd\"/a_wsh.swift:7: error: undefined reference to 'none'"#,
            ["a_wsh.swift": undefined]),
        Row(
            "GNU ld, undefined",
            """
            /usr/bin/ld.bfd: /b u'i/a.o: in function `$s2u11fyyF':
            a.o:(.text.$s2u11fyyF+0x1): undefined reference to `none'
            clang: error: linker command failed with exit code 1 (use -v to see invocation)
            """, ["a_wsh.swift": undefined]),
        Row(
            "lld, twice",
            """
            ld.lld: error: duplicate symbol: same
            >>> defined at a.o
            >>>            /b u'i/a.o:(same)
            >>> defined at b.o
            >>>            /b u'i/b.o:(.text.same+0x0)
            """,
            [
                "a_wsh.swift": "it defines the symbol 'same', as does sub/b_wsh.swift",
                "sub/b_wsh.swift": "it defines the symbol 'same', as does a_wsh.swift",
            ]),
        Row(
            "gold, twice",
            """
            /usr/bin/ld.gold: error: /b u'i/b.o: multiple definition of 'same'
            /usr/bin/ld.gold: /b u'i/a.o: previous definition here
            """,
            [
                "a_wsh.swift": "it defines the symbol 'same', as does sub/b_wsh.swift",
                "sub/b_wsh.swift": "it defines the symbol 'same', as does a_wsh.swift",
            ]),
        Row(
            "GNU ld, twice",
            """
            /usr/bin/ld.bfd: /b u'i/b.o: in function `same':
            b.o:(.text.same+0x0): multiple definition of `same'; /b u'i/a.o:a.o:(.text.same+0x0): \
            first defined here
            """,
            [
                "a_wsh.swift": "it defines the symbol 'same', as does sub/b_wsh.swift",
                "sub/b_wsh.swift": "it defines the symbol 'same', as does a_wsh.swift",
            ]),
        Row(
            "twice, of which one is the server's",
            """
            ld.lld: error: duplicate symbol: main
            >>> defined at main.swift
            >>>            /b u'i/standalone.o:(main)
            >>> defined at a.o
            >>>            /b u'i/a.o:(.text.main+0x0)
            """, ["a_wsh.swift": "it defines the symbol 'main', which the server defines"]),
        Row(
            "two problems",
            """
            ld.lld: error: undefined symbol: none
            >>> referenced by a.o
            >>>               /b u'i/a.o:(x)

            ld.lld: error: duplicate symbol: main
            >>> defined at b.o
            >>>            /b u'i/b.o:(.text.main+0x0)
            """,
            [
                "a_wsh.swift": undefined,
                "sub/b_wsh.swift": "it defines the symbol 'main', which the server defines",
            ]),
        Row(
            "another problem with an object file",
            "ld.lld: error: /b u'i/a.o: unknown file type\n", ["a_wsh.swift": "the linker failed"]),
        Row("nobody's fault", "ld.lld: error: unable to find library -lnothere\n", [:]),
        Row(
            "the server's own",
            "ld.lld: error: undefined symbol: none\n>>> referenced by /b/standalone.o:(main)\n",
            [:]),
        Row("nothing", "", [:]),
    ]

    @Test("which handlers are at fault", arguments: outputs)
    func blamed(_ row: Row<String, [String: String]>) {
        let found = LinkerMessages.blamed(
            Array(row.input.utf8),
            objects: [
                "/b u'i/a.o": "a_wsh.swift", "/b u'i/b.o": "sub/b_wsh.swift",
                #"/site/"odd"/a_wsh.swift"#: "a_wsh.swift",
            ])
        #expect(found.map(\.path) == row.expected.keys.sorted())
        for messages in found {
            let reason = row.expected[messages.path] ?? ""
            #expect(
                messages.text(under: "")
                    == "\(messages.path):1:1: error: the file cannot be linked: \(reason)\n")
        }
    }
}
