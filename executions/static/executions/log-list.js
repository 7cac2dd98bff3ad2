// The lines of a log as a virtual list: chunks of lines, of which only those in and near the view have rows. A chunk
// out of view keeps the height it had, so lines may wrap as they like.
import { el } from "../site/dom.js";

const CHUNK = 100;
const NEAR = "800px";

export class LogList {
  constructor(scroller, list) {
    this.scroller = scroller;
    this.list = list;
    this.lines = [];
    this.chunks = [];
    this.query = "";
    this.marked = 0;
    this.pinned = 0; // the line that stays in view while heights settle
    this.observer = new IntersectionObserver((entries) => entries.forEach((one) => this.seen(one)), { root: scroller, rootMargin: NEAR });
  }

  get length() {
    return this.lines.length;
  }

  add(lines) {
    for (const line of lines) {
      const index = Math.floor(this.lines.length / CHUNK);
      this.lines.push(line);
      const chunk = this.chunks[index];
      if (!chunk) this.open(index);
      else if (chunk.shown) chunk.node.append(this.row(line));
      else this.estimate(chunk);
    }
  }

  open(index) {
    const chunk = { index, node: el("div", { class: "tape-chunk", dataset: { chunk: String(index) } }), shown: false };
    this.chunks.push(chunk);
    this.list.append(chunk.node);
    this.observer.observe(chunk.node);
    // The newest is nearly always in view; waiting for the observer would show a gap for a frame.
    if (this.atEnd()) this.show(chunk);
  }

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < 1000;
  }

  of(chunk) {
    return this.lines.slice(chunk.index * CHUNK, (chunk.index + 1) * CHUNK);
  }

  seen(entry) {
    const chunk = this.chunks[Number(entry.target.dataset.chunk)];
    if (entry.isIntersecting) this.show(chunk);
    else this.hide(chunk);
  }

  show(chunk) {
    if (chunk.shown) return;
    chunk.shown = true;
    chunk.node.style.minHeight = "";
    chunk.node.replaceChildren(...this.of(chunk).map((line) => this.row(line)));
  }

  hide(chunk) {
    if (!chunk.shown) return this.estimate(chunk);
    chunk.node.style.minHeight = `${chunk.node.offsetHeight}px`;
    chunk.shown = false;
    chunk.node.replaceChildren();
  }

  estimate(chunk) {
    chunk.node.style.minHeight = `${this.of(chunk).length * 20}px`;
  }

  row(line) {
    const marked = line.seq === this.marked ? { current: "true" } : {};
    return el(
      "div",
      { class: "tape-line", id: `L${line.seq}`, dataset: { stream: line.stream, seq: line.seq, ...marked } },
      el("a", { class: "n", href: `#L${line.seq}`, title: "Copy a link to this line" }, String(line.seq)),
      el("span", { class: "t" }, clock(line.time)),
      el("span", { class: "x" }, ...this.text(line.text || " ")),
    );
  }

  text(text) {
    if (!this.query) return [text];
    const parts = [];
    const lower = text.toLowerCase();
    let from = 0;
    for (let at = lower.indexOf(this.query); at >= 0; at = lower.indexOf(this.query, from)) {
      parts.push(text.slice(from, at), el("mark", {}, text.slice(at, at + this.query.length)));
      from = at + this.query.length;
    }
    return [...parts, text.slice(from)];
  }

  /** Numbers of the lines that contain the text, whatever its case. */
  find(query) {
    this.query = query.toLowerCase();
    this.redraw();
    return this.query ? this.lines.filter((line) => line.text.toLowerCase().includes(this.query)).map((line) => line.seq) : [];
  }

  /** Bring a line into view and mark it; false when it is not there yet. */
  reveal(seq) {
    if (seq < 1 || seq > this.lines.length) return false;
    this.marked = this.pinned = seq;
    this.redraw();
    this.settle();
    return true;
  }

  /** Scroll to the pinned line. */
  settle() {
    if (!this.pinned) return;
    const chunk = this.chunks[Math.floor((this.pinned - 1) / CHUNK)];
    this.show(chunk);
    const row = chunk.node.children[(this.pinned - 1) % CHUNK];
    this.scroller.scrollTop = row.offsetTop - this.scroller.clientHeight / 3;
  }

  redraw() {
    for (const chunk of this.chunks) {
      if (chunk.shown) chunk.node.replaceChildren(...this.of(chunk).map((line) => this.row(line)));
    }
  }
}

function clock(iso) {
  const date = new Date(iso);
  const pad = (number, size = 2) => String(number).padStart(size, "0");
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
