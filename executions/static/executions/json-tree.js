// A JSON document as a tree that opens and closes. The text stays as it is for those without scripts, and for copying.
import { el } from "../site/dom.js";

const OPEN_DEPTH = 2;
const MOST = 500;

function scalar(value) {
  return el("span", { class: typeof value === "string" ? "s" : "v" }, JSON.stringify(value));
}

function node(name, value, depth) {
  const label = name === null ? [] : [el("span", { class: "k" }, `${name}: `)];
  if (value === null || typeof value !== "object") return el("div", { class: "pl-[1.1rem]" }, ...label, scalar(value));
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  const size = el("span", { class: "k" }, list ? `[${entries.length}]` : `{${entries.length}}`);
  const box = el("details", { open: depth < OPEN_DEPTH }, el("summary", {}, ...label, size));
  const fill = () => {
    if (box.childElementCount > 1) return;
    const rest = entries.length - MOST;
    box.append(
      el(
        "div",
        {},
        ...entries.slice(0, MOST).map(([key, member]) => node(key, member, depth + 1)),
        rest > 0 ? el("p", { class: "k" }, `${rest.toLocaleString("en")} more in the JSON document`) : null,
      ),
    );
  };
  if (box.open) fill();
  else box.addEventListener("toggle", fill, { once: true });
  return box;
}

/** Replaces every `<pre data-json-tree>` in `scope` by a tree. */
export function growTrees(scope) {
  for (const pre of scope.querySelectorAll("pre[data-json-tree]")) {
    try {
      // A tree would show rounded numbers; a text with such large ones is left as text.
      if (/\d{16,}/.test(pre.textContent)) continue;
      pre.replaceWith(el("div", { class: "tree max-h-96 overflow-auto rounded-md bg-sunk p-4" }, node(null, JSON.parse(pre.textContent), 0)));
    } catch {
      // Not JSON after all: the text is what there is.
    }
  }
}
