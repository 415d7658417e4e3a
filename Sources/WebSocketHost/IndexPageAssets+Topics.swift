extension IndexPageAssets {
    /// Filled by the script, while any topic has subscribers.
    static let topics = """
        <section id="topics" hidden>
        <h2>Topics</h2>
        <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Subscribers</th>
        <th scope="col">Messages a second</th></tr></thead>
        <tbody></tbody>
        </table>
        <p></p>
        </section>
        """

    static let topicsStyle = """

        #topics {
          margin: 1rem 0 0; padding: .75rem 1rem; background: var(--surface);
          border: 1px solid var(--line); border-radius: 8px;
        }
        #topics table { width: 100%; border-collapse: collapse; margin-top: .5rem; font-size: .875rem; }
        #topics th { text-align: left; font-weight: 400; color: var(--quiet); }
        #topics th, #topics td { padding: .2rem .5rem .2rem 0; vertical-align: baseline; }
        #topics td:first-child {
          font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; overflow-wrap: anywhere;
          white-space: pre-wrap; width: 60%;
        }
        #topics th + th, #topics td + td { text-align: right; font-variant-numeric: tabular-nums; }
        #topics p { margin: .5rem 0 0; font-size: .8125rem; color: var(--quiet); }
        #topics p:empty { display: none; }

        """

    static let topicsScript = #"""

        // The topics that have subscribers, asked for every other second while somebody looks.
        class Topics {
          static PAUSE = 2000;
          static ROWS = 100;
          constructor(path) {
            this.path = path;
            this.section = document.getElementById("topics");
            this.before = new Map();
            this.ask();
          }
          async ask() {
            if (!document.hidden) {
              try {
                const response = await fetch(this.path, {cache: "no-store"});
                if (response.ok) this.show(await response.json());
              } catch { this.before.clear(); } // the server is away; a page of the next one may come
            }
            setTimeout(() => this.ask(), Topics.PAUSE);
          }
          show({topics, isCut}) {
            const now = performance.now();
            const counts = new Map(topics.map(({name, published}) => [name, {published, now}]));
            const rows = topics.slice(0, Topics.ROWS).map((topic) => this.row(topic, now));
            this.section.querySelector("tbody").replaceChildren(...rows);
            const more = topics.length - rows.length;
            this.section.querySelector("p").textContent =
              isCut ? "and more than a thousand others" : more > 0 ? `and ${more} more` : "";
            this.section.hidden = topics.length === 0;
            this.before = counts;
          }
          row({name, subscribers, published}, now) {
            const before = this.before.get(name);
            const seconds = before ? (now - before.now) / 1000 : 0;
            // Another process counts from its own beginning.
            const isKnown = seconds > 0 && published >= before.published;
            const rate = isKnown ? (published - before.published) / seconds : null;
            const row = document.createElement("tr");
            const cells = [name, subscribers.toLocaleString("en"), rate === null ? "–" : Topics.describe(rate)];
            for (const text of cells) row.insertCell().textContent = text;
            return row;
          }
          static describe(rate) {
            return rate === 0 ? "0" : rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");
          }
        }
        new Topics(document.body.dataset.topics);

        """#
}
