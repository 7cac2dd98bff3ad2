// A JSON document as a tree that opens and closes. The text stays as it is for those without scripts, and for copying.
import { el, toast } from "../site/dom.js";

const OPEN_DEPTH = 2;
const MOST = 500; // members of one value
const MOST_OPENED = 2000; // values that one press opens

function scalar(value) {
  return el("span", { class: typeof value === "string" ? "s" : "v" }, JSON.stringify(value));
}

function size(entries, list) {
  const count = entries.length.toLocaleString("en");
  const said = `${list ? "list of" : "object of"} ${count}`;
  return [el("span", { class: "k", "aria-hidden": "true" }, list ? `[${count}]` : `{${count}}`), el("span", { class: "sr-only" }, said)];
}

function node(name, value, depth) {
  const label = name === null ? [] : [el("span", { class: "k" }, `${name}: `)];
  if (value === null || typeof value !== "object") return el("div", { class: "pl-[1.1rem]" }, ...label, scalar(value));
  const entries = Object.entries(value);
  const box = el("details", { open: depth < OPEN_DEPTH }, el("summary", {}, ...label, ...size(entries, Array.isArray(value))));
  box.fill = () => {
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
  if (box.open) box.fill();
  else box.addEventListener("toggle", box.fill, { once: true });
  return box;
}

/** Opens every value, the outer ones first, until there are too many to draw. */
function openAll(tree) {
  let level = [...tree.children].filter((child) => child.matches("details"));
  let opened = 0;
  while (level.length) {
    const next = [];
    for (const box of level) {
      if (opened === MOST_OPENED) return toast(`The first ${MOST_OPENED.toLocaleString("en")} are open; open the others one by one.`);
      box.fill();
      box.open = true;
      opened += 1;
      next.push(...[...box.lastElementChild.children].filter((child) => child.matches("details")));
    }
    level = next;
  }
}

function closeAll(tree) {
  for (const box of tree.querySelectorAll("details[open]")) box.open = box.parentElement === tree;
}

/** As in a file manager: up and down among what is seen, right opens, left closes or goes to what is around. */
function walk(event) {
  const summary = event.target;
  if (!summary.matches("summary") || event.altKey || event.ctrlKey || event.metaKey) return;
  const box = summary.parentElement;
  const seen = () => [...event.currentTarget.querySelectorAll("summary")].filter((one) => one.checkVisibility());
  let to = null;
  if (event.key === "ArrowRight" && !box.open) box.open = true;
  else if (event.key === "ArrowRight") to = box.querySelector(":scope > div > details > summary");
  else if (event.key === "ArrowLeft" && box.open) box.open = false;
  else if (event.key === "ArrowLeft") to = box.parentElement.closest("details")?.firstElementChild;
  else if (event.key === "ArrowDown") to = seen()[seen().indexOf(summary) + 1];
  else if (event.key === "ArrowUp") to = seen()[seen().indexOf(summary) - 1];
  else return;
  event.preventDefault();
  to?.focus();
}

function grow(pre) {
  const tree = el(
    "div",
    { class: "tree max-h-96 overflow-auto rounded-md bg-sunk p-4", role: "group", "aria-label": pre.dataset.label, onkeydown: walk },
    node(null, JSON.parse(pre.textContent), 0),
  );
  pre.before(tree);
  pre.hidden = true;
  for (const button of document.querySelectorAll(`button[data-tree="${pre.id}"]`)) {
    button.hidden = false;
    button.addEventListener("click", () => (button.dataset.treeAll === "open" ? openAll(tree) : closeAll(tree)));
  }
}

/** Puts a tree in the place of every `<pre data-json-tree>` in `scope`. */
export function growTrees(scope) {
  for (const pre of scope.querySelectorAll("pre[data-json-tree]:not([hidden])")) {
    try {
      // A tree would show rounded numbers; a text with such large ones is left as text.
      if (!/\d{16,}/.test(pre.textContent)) grow(pre);
    } catch {
      // Not JSON after all: the text is what there is.
    }
  }
}
