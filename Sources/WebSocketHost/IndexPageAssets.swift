/// The parts of ``IndexPage`` that do not depend on the routes.
enum IndexPageAssets {
    /// Shown in a directory without handler files.
    static let emptyDirectory = """
        <section class="empty">
        <h2>Write your first handler</h2>
        <p>Save this as <code>echo_wsh.swift</code> in the handlers directory (the one that
        <code>-w</code> names):</p>
        <pre tabindex="0">import WebSocketHost

        /// Sends every message back.
        public let handler = WebSocketHandler { socket in
            for try await message in socket {
                try await socket.send(message)
            }
        }</pre>
        <p>Then stop the server with Ctrl-C, start it again with the same command, and reload this page:
        it will answer at <code>/echo</code>.</p>
        </section>
        """

    /// What the script puts into a route when it is opened for the first time.
    static let consoleTemplate = """
        <template id="console">
        <div class="console">
        <form class="connect">
        <label class="wide">Address <input name="address" type="text" spellcheck="false"
            autocomplete="off" autocapitalize="off"></label>
        <button class="primary">Connect</button>
        </form>
        <form class="send">
        <label class="wide">Message <input name="text" type="text" autocomplete="off"></label>
        <button disabled>Send</button>
        </form>
        <form class="close">
        <label>Close code <input name="code" type="number" value="1000" min="1000" max="4999"
            inputmode="numeric"></label>
        <label class="wide">Reason <input name="reason" type="text" autocomplete="off"></label>
        <button disabled>Close</button>
        </form>
        <div class="log-head"><h2>Log</h2><button type="button" class="clear">Clear</button></div>
        <ol class="log" role="log" tabindex="0"></ol>
        </div>
        </template>
        """

    static let style = """

        :root {
          --page: #f6f7f8; --surface: #fff; --line: #d5dade; --text: #1c2126; --quiet: #59636d;
          --accent: #0b62a8; --on-accent: #fff; --good: #17713b; --bad: #a3241f; --sent: #0b62a8;
          font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #15181b; --surface: #1e2226; --line: #3a4148; --text: #e6e9ec; --quiet: #a0aab3;
            --accent: #7cbcf2; --on-accent: #0d1b26; --good: #7fd49c; --bad: #ff9d94; --sent: #7cbcf2;
          }
        }
        * { box-sizing: border-box; }
        body { max-width: 54rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
        h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; }
        header p { margin: .25rem 0 1.5rem; color: var(--quiet); }
        header strong { color: var(--bad); font-weight: 600; }
        h2 { font-size: 1rem; margin: 0; }
        code, pre, .path, .log, input { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
        .route, .empty { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; }
        .route { margin: 0 0 .5rem; }
        .empty { padding: 1rem; }
        summary {
          display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 .75rem;
          padding: .6rem 1rem; cursor: pointer; border-radius: 8px; list-style: none;
        }
        summary::-webkit-details-marker { display: none; }
        summary::before { content: "›"; color: var(--quiet); width: .6rem; }
        [open] > summary::before { content: "⌄"; }
        .path { font-weight: 600; overflow-wrap: anywhere; }
        .source { color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
        .state { margin-left: auto; font-size: .875rem; color: var(--quiet); }
        .state.open { color: var(--good); font-weight: 600; }
        .state.failed, .broken .state { color: var(--bad); }
        .broken > p { margin: 0; padding: 0 1rem; }
        pre {
          overflow-x: auto; background: var(--page); border: 1px solid var(--line); border-radius: 6px;
          padding: .75rem; font-size: .875rem; line-height: 1.45;
        }
        #failure, #renewal {
          margin: 0 0 1rem; padding: .75rem 1rem; background: var(--surface); border: 1px solid var(--bad);
          border-radius: 8px;
        }
        #failure h2 { margin: 0; font-size: 1rem; color: var(--bad); }
        #failure p { margin: .25rem 0 .75rem; }
        #renewal { border-color: var(--accent); }
        [hidden] { display: none !important; }
        .broken > pre { margin: .75rem 1rem 1rem; }
        .console { padding: .25rem 1rem 1rem; display: grid; gap: .75rem; }
        form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
        label { display: grid; gap: .15rem; font-size: .8125rem; color: var(--quiet); min-width: 0; }
        label.wide { flex: 1 1 8rem; }
        input, button { font-size: .9375rem; padding: .4rem .6rem; border-radius: 6px; min-height: 2.4rem; }
        input { width: 100%; border: 1px solid var(--line); background: var(--page); color: var(--text); }
        .close label:first-child { width: 6rem; }
        button {
          font-family: inherit; min-width: 5.5rem; cursor: pointer; border: 1px solid var(--line);
          background: var(--surface); color: var(--text);
        }
        button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
        button:disabled {
          background: var(--page); border-color: var(--line); color: var(--quiet); cursor: default;
        }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        .log-head { display: flex; align-items: center; justify-content: space-between; }
        .log-head button { min-height: 0; min-width: 0; padding: .15rem .6rem; font-size: .8125rem; }
        .log {
          list-style: none; margin: 0; padding: .5rem .75rem; height: 12rem; overflow-y: auto;
          background: var(--page); border: 1px solid var(--line); border-radius: 6px;
          font-size: .8125rem; line-height: 1.6;
        }
        .log li { display: grid; grid-template-columns: auto 1.1rem 1fr; gap: .5rem; }
        .log time { color: var(--quiet); font-variant-numeric: tabular-nums; }
        .log .what { white-space: pre-wrap; overflow-wrap: anywhere; }
        .log .sent .mark { color: var(--sent); }
        .log .received .mark { color: var(--good); }
        .log .state-line .what { color: var(--quiet); font-style: italic; }
        .log .error .what { color: var(--bad); }
        @media (max-width: 30rem) {
          body { padding: 1.25rem .75rem 3rem; }
          .log li { grid-template-columns: 1.1rem 1fr; gap: 0 .4rem; margin-bottom: .25rem; }
          .log time { grid-column: 1 / -1; font-size: .75rem; line-height: 1.2; }
        }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

        """

    /// Filled by the script, while the author's files are watched.
    static let changes = """
        <div id="renewal" role="status" hidden>A new version is live. \
        <button type="button">Show it</button></div>
        <section id="failure" role="alert" hidden><h2>The last change does not compile</h2>
        <p>The previous version keeps serving.</p><pre tabindex="0"></pre></section>

        """
}
