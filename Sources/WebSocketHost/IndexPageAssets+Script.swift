extension IndexPageAssets {
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
