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

    static let script = #"""

        "use strict";
        // A log longer than this loses its oldest lines; a longer message is shown in part.
        const LINES = 500, SHOWN = 4000;
        const MEANINGS = {
          1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
          1005: "no code in the Close frame", 1006: "no Close frame came", 1007: "text is not UTF-8",
          1008: "policy violation", 1009: "message too big", 1010: "extension missing",
          1011: "the server met an error", 1012: "service restart", 1013: "try again later",
        };
        const MARKS = {sent: ["→", "sent"], received: ["←", "received"]};

        function describeBytes(buffer) {
          const bytes = new Uint8Array(buffer);
          const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0"));
          return `${bytes.length} bytes: ${hex.join(" ")}${bytes.length > 64 ? " …" : ""}`;
        }

        function describeText(text) {
          if (text.length <= SHOWN) return text;
          return `${text.slice(0, SHOWN)}… (${text.length} characters)`;
        }

        class Log {
          constructor(list) {
            this.list = list;
            this.waiting = [];
          }
          add(kind, text) {
            if (this.waiting.length === 0) requestAnimationFrame(() => this.show());
            this.waiting.push([kind, text, new Date()]);
            // A hidden page shows nothing; it must not keep everything either.
            if (this.waiting.length > 2 * LINES) this.waiting.splice(0, LINES);
          }
          show() {
            const atEnd = this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 40;
            this.list.append(...this.waiting.splice(0).slice(-LINES).map((line) => this.line(...line)));
            while (this.list.childElementCount > LINES) this.list.firstElementChild.remove();
            if (atEnd) this.list.scrollTop = this.list.scrollHeight;
          }
          line(kind, text, date) {
            const item = document.createElement("li");
            item.className = kind;
            const time = document.createElement("time");
            time.textContent = date.toTimeString().slice(0, 8) + "." + String(date.getMilliseconds()).padStart(3, "0");
            const [sign, word] = MARKS[kind] ?? ["·", ""];
            const mark = document.createElement("span");
            mark.className = "mark";
            const symbol = document.createElement("span");
            symbol.setAttribute("aria-hidden", "true");
            symbol.textContent = sign;
            const spoken = document.createElement("span");
            spoken.className = "hidden";
            spoken.textContent = word;
            mark.append(symbol, spoken);
            const what = document.createElement("span");
            what.className = "what";
            what.textContent = text;
            item.append(time, mark, what);
            return item;
          }
          clear() {
            this.waiting.length = 0;
            this.list.replaceChildren();
          }
        }

        class Console {
          constructor(route) {
            route.append(document.getElementById("console").content.cloneNode(true));
            const find = (selector) => route.querySelector(selector);
            [this.connectForm, this.sendForm, this.closeForm] =
              ["connect", "send", "close"].map((name) => find(`form.${name}`));
            this.state = find(".state");
            this.log = new Log(find(".log"));
            this.log.list.setAttribute("aria-label", `Log of ${route.dataset.name}`);
            const scheme = location.protocol === "https:" ? "wss:" : "ws:";
            this.connectForm.address.value = `${scheme}//${location.host}${route.dataset.path}`;
            this.onSubmit(this.connectForm, () => this.connect());
            this.onSubmit(this.sendForm, () => this.send());
            this.onSubmit(this.closeForm, () => this.close());
            find(".clear").addEventListener("click", () => this.log.clear());
          }

          onSubmit(form, action) {
            form.noValidate = true; // the browser's WebSocket knows the rules, and its words go to the log
            form.addEventListener("submit", (event) => {
              event.preventDefault();
              try { action(); } catch (error) { this.log.add("error", error.message); }
            });
          }

          connect() {
            if (this.socket && this.socket.readyState !== WebSocket.CLOSED) {
              return this.log.add("error", "This one is connected already.");
            }
            const socket = new WebSocket(this.connectForm.address.value);
            this.socket = socket;
            socket.binaryType = "arraybuffer";
            let wasOpen = false;
            this.log.add("state-line", `connecting to ${socket.url}`);
            this.show("connecting…", "");
            socket.onopen = () => {
              wasOpen = true;
              this.log.add("state-line", "open" + (socket.protocol ? `, subprotocol ${socket.protocol}` : ""));
              this.show("open", "open");
            };
            socket.onmessage = ({data}) => this.log.add(
              "received", typeof data === "string" ? describeText(data) : describeBytes(data));
            socket.onclose = ({code, reason, wasClean}) => {
              if (!wasOpen) {
                this.log.add("error", "No connection: the handshake was refused, or nobody answers. "
                  + "The server's log may say why.");
                return this.show("not connected", "failed");
              }
              const meaning = MEANINGS[code] ? ` (${MEANINGS[code]})` : "";
              this.log.add(wasClean ? "state-line" : "error",
                `closed with ${code}${meaning}` + (reason ? `, reason: ${reason}` : ""));
              this.show(`closed with ${code}`, wasClean ? "" : "failed");
            };
          }

          send() {
            if (this.socket?.readyState !== WebSocket.OPEN) {
              return this.log.add("error", "Not connected: connect first.");
            }
            const field = this.sendForm.text;
            this.socket.send(field.value);
            this.log.add("sent", describeText(field.value));
            field.select();
          }

          close() {
            if (!this.socket || this.socket.readyState === WebSocket.CLOSED) {
              return this.log.add("error", "Not connected.");
            }
            const {code, reason} = this.closeForm;
            if (code.value === "") this.socket.close(); else this.socket.close(Number(code.value), reason.value);
            const said = code.value === "" ? "without a code" : `with ${code.value} ${reason.value}`;
            this.log.add("state-line", `closing ${said.trim()}`);
            this.show("closing…", "");
          }

          // Shows the state, and keeps the focus where the next step is.
          show(text, className) {
            this.state.textContent = text;
            this.state.className = `state ${className}`;
            const isOpen = this.socket.readyState === WebSocket.OPEN;
            const isClosed = this.socket.readyState === WebSocket.CLOSED;
            const connect = this.connectForm.querySelector("button");
            const others = [this.sendForm, this.closeForm].map((form) => form.querySelector("button"));
            const focused = document.activeElement;
            connect.disabled = !isClosed;
            others[0].disabled = !isOpen;
            others[1].disabled = isClosed;
            if (isOpen && (focused === connect || focused === document.body)) this.sendForm.text.focus();
            if (isClosed && others.includes(focused)) connect.focus();
          }
        }

        // While the author's files are watched: what the compiler says, and the new version when it is live.
        class Changes {
          constructor(path) {
            this.address = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
            this.failure = document.getElementById("failure");
            this.renewal = document.getElementById("renewal");
            this.renewal.querySelector("button").addEventListener("click", () => location.reload());
            this.follow();
          }
          follow() {
            const socket = new WebSocket(this.address);
            socket.onmessage = ({data}) => {
              const [version] = data.split("\n", 1);
              const failure = data.slice(version.length + 1);
              this.failure.querySelector("pre").textContent = failure;
              this.failure.hidden = failure === "";
              if (version !== document.body.dataset.version) this.renew();
            };
            socket.onclose = () => setTimeout(() => this.follow(), 250);
          }
          // A conversation under way is not thrown away.
          renew() {
            const isTalking = Array.from(document.querySelectorAll("details[data-path]")).some(
              (route) => route.console?.socket && route.console.socket.readyState < WebSocket.CLOSED);
            if (isTalking) this.renewal.hidden = false; else location.reload();
          }
        }
        if (document.body.dataset.changes) new Changes(document.body.dataset.changes);

        for (const route of document.querySelectorAll("details[data-path]")) {
          route.addEventListener("toggle", () => {
            if (!route.open) return;
            route.console ??= new Console(route);
          });
        }

        """#
}
