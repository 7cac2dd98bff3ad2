// The live log: one socket, replayed from the last line we have. Lines are added once a frame, to a virtual list.
import { el, toast } from "../site/dom.js";
import { LogList } from "./log-list.js";

const PER_FRAME = 2000; // a replay of a long log must not hold up the page
const NEAR_END = 40; // pixels
const OWN_SCROLL = 1500; // ms that a flick of the wheel or a dragged bar goes on scrolling
const RETRY = [500, 1000, 2000, 4000, 8000];

/** Shows the log of one execution inside `root` and reports what the socket says through `onExecution`. */
export class LogView {
  constructor(root, { id, onExecution, counter = null }) {
    this.counter = counter;
    this.root = root;
    this.id = id;
    this.onExecution = onExecution;
    this.scroller = root.querySelector("[data-scroll]");
    this.list = new LogList(this.scroller, root.querySelector("[data-lines]"));
    this.state = root.querySelector("[data-connection]");
    this.latest = root.querySelector("[data-latest]");
    this.search = root.querySelector("[data-search]");
    this.found = root.querySelector("[data-found]");
    this.lastSeq = 0;
    this.waiting = [];
    this.hits = [];
    this.hit = -1;
    this.tries = 0;
    this.follow = true;
    this.paused = false;
    this.ended = false;
    this.seen = 0;
    this.moved = -OWN_SCROLL;
    this.wanted = lineOf(location.hash);
    if (this.wanted) this.follow = false;
    this.bind();
    this.connect();
  }

  bind() {
    // Heights change while chunks are drawn, which scrolls too; only a person's own scrolling ends the following.
    for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      this.scroller.addEventListener(kind, () => {
        this.moved = performance.now();
        this.list.pinned = 0;
      }, { passive: true });
    }
    this.scroller.addEventListener("scroll", () => {
      if (performance.now() - this.moved > OWN_SCROLL) return;
      const left = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
      this.follow = left < NEAR_END;
      if (this.follow) this.seen = this.list.length;
      this.showLatest();
    });
    new ResizeObserver(() => (this.follow ? this.jump() : this.list.settle())).observe(this.root.querySelector("[data-lines]"));
    this.latest.addEventListener("click", () => this.jump());
    this.toggle("[data-times]", (on) => {
      this.root.dataset.times = String(on);
      if (this.follow) this.jump();
    });
    this.toggle("[data-pause]", (on) => {
      this.paused = on;
      this.count();
      this.schedule();
    });
    this.root.querySelector("[data-copy-log]").addEventListener("click", () => this.copy());
    this.root.querySelector("[data-download-log]").addEventListener("click", () => this.download());
    this.search.addEventListener("input", () => this.look(0));
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.step(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") {
        this.search.value = "";
        this.look(0);
      } else return;
      event.preventDefault();
    });
    this.scroller.addEventListener("click", (event) => {
      const number = event.target.closest("a.n");
      if (number) this.link(event, lineOf(number.hash));
    });
    window.addEventListener("hashchange", () => this.go(lineOf(location.hash)));
    window.addEventListener("online", () => this.retryNow());
    // Scrolling does nothing while the tab with the log is hidden.
    document.addEventListener("tab:chosen", (event) => {
      if (event.detail !== "log") return;
      if (this.wanted) this.go(this.wanted);
      else if (this.follow) this.jump();
    });
  }

  toggle(selector, changed) {
    this.root.querySelector(selector).addEventListener("click", (event) => {
      const on = event.currentTarget.getAttribute("aria-pressed") !== "true";
      event.currentTarget.setAttribute("aria-pressed", String(on));
      changed(on);
    });
  }

  connect() {
    clearTimeout(this.timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/executions/${this.id}/?after=${this.lastSeq}`);
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.tries = 0;
      this.say("Live", "good");
    });
    socket.addEventListener("message", (event) => this.receive(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
  }

  receive(message) {
    if (message.type === "lines") this.add(message.lines);
    if (message.execution) this.onExecution(message.execution, message.type);
    if (message.type === "end") {
      this.ended = true;
      this.say("Complete", "neutral");
    }
  }

  add(lines) {
    for (const line of lines) {
      // A replay may overlap with what we have; a line is shown once.
      if (line.seq <= this.lastSeq) continue;
      if (line.seq > this.lastSeq + 1) {
        // Something between was missed: ask again from the last line we have.
        this.socket.close(4000);
        return;
      }
      this.lastSeq = line.seq;
      this.waiting.push(line);
    }
    this.schedule();
  }

  schedule() {
    if (this.paused) this.count();
    else if (this.waiting.length) this.frame ??= requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.frame = null;
    if (this.paused) return;
    const fresh = this.waiting.splice(0, PER_FRAME);
    if (!fresh.length) return;
    this.root.querySelector("[data-empty]").hidden = true;
    this.list.add(fresh);
    this.count();
    if (this.search.value) this.look(null);
    if (this.wanted && this.list.length >= this.wanted) this.go(this.wanted);
    if (this.follow) this.jump();
    else this.showLatest();
    this.schedule();
  }

  count() {
    const lines = `${this.list.length.toLocaleString("en")} line${this.list.length === 1 ? "" : "s"}`;
    const held = this.paused && this.waiting.length ? `, ${this.waiting.length.toLocaleString("en")} more held back` : "";
    this.root.querySelector("[data-count]").textContent = lines + held;
    if (this.counter) this.counter.textContent = this.list.length.toLocaleString("en");
  }

  /** Search anew; `at` is the hit to go to, null to stay. */
  look(at) {
    this.hits = this.list.find(this.search.value);
    if (at === null) this.hit = Math.min(this.hit, this.hits.length - 1);
    else this.show(at);
    this.sayFound();
  }

  step(by) {
    if (this.hits.length) this.show((this.hit + by + this.hits.length) % this.hits.length);
    this.sayFound();
  }

  show(at) {
    this.hit = this.hits.length ? at : -1;
    if (this.hit >= 0) this.reveal(this.hits[this.hit]);
  }

  sayFound() {
    const none = this.search.value ? "Not found" : "";
    this.found.textContent = this.hits.length ? `${(this.hit + 1).toLocaleString("en")} of ${this.hits.length.toLocaleString("en")}` : none;
  }

  reveal(seq) {
    this.follow = false;
    return this.list.reveal(seq);
  }

  /** Go to the line a link names, now or when it comes. */
  go(seq) {
    if (!seq) return;
    this.wanted = this.reveal(seq) && this.scroller.offsetHeight ? 0 : seq;
    this.showLatest();
  }

  async link(event, seq) {
    event.preventDefault();
    history.replaceState(null, "", `#L${seq}`);
    this.list.marked = seq;
    this.list.redraw();
    try {
      await navigator.clipboard.writeText(location.href);
      toast(`A link to line ${seq} is copied.`, "good");
    } catch {
      toast(`The address of this page now leads to line ${seq}.`);
    }
  }

  jump() {
    this.list.pinned = 0;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.follow = true;
    this.seen = this.list.length;
    this.showLatest();
  }

  showLatest() {
    const unread = this.list.length - this.seen;
    this.latest.hidden = this.follow || !this.list.length;
    this.latest.querySelector("span").textContent = unread > 0 ? `${unread.toLocaleString("en")} new` : "Jump to latest";
  }

  closed(socket, code) {
    if (socket !== this.socket || this.ended) return;
    if (code === 4401) return this.say("You are signed out. Reload the page to go on.", "bad");
    if (code === 4403 || code === 4404) return this.say("You may not see this log.", "bad");
    const wait = RETRY[Math.min(this.tries, RETRY.length - 1)];
    this.tries += 1;
    this.say(this.tries > 1 ? `Connection lost; next try in ${Math.ceil(wait / 1000)} s` : "Connecting again…", "busy");
    this.timer = setTimeout(() => this.connect(), wait);
  }

  retryNow() {
    if (this.ended || this.socket.readyState <= WebSocket.OPEN) return;
    this.connect();
  }

  say(text, tone) {
    this.state.textContent = text;
    this.state.className = `badge tone-${tone}`;
  }

  text() {
    const lines = [...this.list.lines, ...this.waiting];
    return lines.map((line) => `${line.time} ${line.stream.padEnd(6)} ${line.text}`).join("\n");
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.text());
      toast("The log is copied.", "good");
    } catch {
      toast("The browser did not allow copying; download the log instead.", "bad");
    }
  }

  download() {
    const url = URL.createObjectURL(new Blob([`${this.text()}\n`], { type: "text/plain" }));
    const link = el("a", { href: url, download: `run-${this.id}.log` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}

function lineOf(hash) {
  const found = /^#L(\d{1,8})$/.exec(hash);
  return found ? Number(found[1]) : 0;
}
