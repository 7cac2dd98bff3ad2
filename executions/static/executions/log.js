// The live log: one socket, replayed from the last line we have; thousands of lines stay smooth because they are added
// once a frame, in chunks that the browser skips while they are out of view.
import { el, toast } from "../site/dom.js";

const CHUNK = 100;
const PER_FRAME = 1000; // a replay of a long log must not hold up the page
const NEAR_END = 40; // pixels
const RETRY = [500, 1000, 2000, 4000, 8000];

/** Shows the log of one execution inside `root` and reports what the socket says through `onExecution`. */
export class LogView {
  constructor(root, { id, onExecution, counter = null }) {
    this.counter = counter;
    this.root = root;
    this.id = id;
    this.onExecution = onExecution;
    this.scroller = root.querySelector("[data-scroll]");
    this.list = root.querySelector("[data-lines]");
    this.state = root.querySelector("[data-connection]");
    this.latest = root.querySelector("[data-latest]");
    this.lastSeq = 0;
    this.lines = [];
    this.waiting = [];
    this.tries = 0;
    this.follow = true;
    this.ended = false;
    this.seen = 0;
    this.bind();
    this.connect();
  }

  bind() {
    this.scroller.addEventListener("scroll", () => {
      const left = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
      this.follow = left < NEAR_END;
      if (this.follow) this.seen = this.lines.length;
      this.showLatest();
    });
    this.latest.addEventListener("click", () => this.jump());
    this.root.querySelector("[data-times]").addEventListener("click", (event) => {
      const on = this.root.dataset.times !== "true";
      this.root.dataset.times = String(on);
      event.currentTarget.setAttribute("aria-pressed", String(on));
      if (this.follow) this.jump();
    });
    this.root.querySelector("[data-copy-log]").addEventListener("click", () => this.copy());
    this.root.querySelector("[data-download-log]").addEventListener("click", () => this.download());
    window.addEventListener("online", () => this.retryNow());
    // Scrolling does nothing while the tab with the log is hidden.
    document.addEventListener("tab:chosen", (event) => event.detail === "log" && this.follow && this.jump());
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
      this.lines.push(line);
      this.waiting.push(line);
    }
    this.frame ??= requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.frame = null;
    const fresh = this.waiting.splice(0, PER_FRAME);
    if (!fresh.length) return;
    if (this.waiting.length) this.frame = requestAnimationFrame(() => this.flush());
    this.root.querySelector("[data-empty]").hidden = true;
    for (const line of fresh) {
      let chunk = this.list.lastElementChild;
      if (!chunk || chunk.childElementCount >= CHUNK) {
        chunk = el("div", { class: "tape-chunk" });
        this.list.append(chunk);
      }
      chunk.append(this.row(line));
    }
    this.root.querySelector("[data-count]").textContent = `${this.lines.length.toLocaleString("en")} line${this.lines.length === 1 ? "" : "s"}`;
    if (this.counter) this.counter.textContent = this.lines.length.toLocaleString("en");
    if (this.follow) this.jump();
    else this.showLatest();
  }

  row(line) {
    return el(
      "div",
      { class: "tape-line", dataset: { stream: line.stream, seq: line.seq } },
      el("span", { class: "n" }, String(line.seq)),
      el("span", { class: "t" }, clock(line.time)),
      el("span", { class: "x" }, line.text || " "),
    );
  }

  jump() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.seen = this.lines.length;
    this.showLatest();
  }

  showLatest() {
    const unread = this.lines.length - this.seen;
    this.latest.hidden = this.follow;
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
    return this.lines.map((line) => `${line.time} ${line.stream.padEnd(6)} ${line.text}`).join("\n");
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

function clock(iso) {
  const date = new Date(iso);
  const pad = (number, size = 2) => String(number).padStart(size, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
