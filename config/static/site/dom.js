// Small helpers for building and changing elements without inline styles or HTML strings.

/** An element with attributes (`class`, `dataset`, `onclick`, …) and children; strings become text, never HTML. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "dataset") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Marks a button busy: it spins, and is not pressed twice. */
export function busy(button, is) {
  if (!button) return;
  if (is) button.dataset.busy = "true";
  else delete button.dataset.busy;
  button.setAttribute("aria-disabled", is ? "true" : "false");
}

/** Shows one of a container's `[data-pane]` children and hides the others. */
export function showPane(container, name) {
  for (const pane of container.querySelectorAll("[data-pane]")) pane.hidden = pane.dataset.pane !== name;
}

/** A short message at the edge of the page; `tone` is "neutral", "good" or "bad". Errors stay until dismissed. */
export function toast(text, tone = "neutral") {
  const region = document.getElementById("toasts");
  if (!region) return;
  const close = el("button", { type: "button", class: "link-quiet -my-1 min-h-8 min-w-8 text-lg leading-none", "aria-label": "Dismiss" }, "×");
  const node = el("div", { class: `toast notice-${tone}`, role: tone === "bad" ? "alert" : "status" }, el("p", { class: "flex-1" }, text), close);
  close.addEventListener("click", () => node.remove());
  region.append(node);
  if (tone !== "bad") setTimeout(() => node.remove(), 6000);
}

/** `0x1234…cdef`. */
export function shortAddress(value) {
  return value && value.length > 12 ? `${value.slice(0, 6)}…${value.slice(-4)}` : value;
}
