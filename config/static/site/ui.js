// What every page shares: colour scheme, menus, copy buttons, times in the reader's zone, confirmations, dismissals.
import { toast } from "./dom.js";

const root = document.documentElement;
const systemDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
}

function labelThemeButtons() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-label", isDark() ? "Use the light theme" : "Use the dark theme");
    button.querySelector("[data-when=light]").hidden = isDark();
    button.querySelector("[data-when=dark]").hidden = !isDark();
  }
}

function toggleTheme() {
  const next = isDark() ? "light" : "dark";
  root.dataset.theme = next;
  try {
    // Choosing what the system prefers anyway means following the system again.
    if ((next === "dark") === systemDark.matches) localStorage.removeItem("theme");
    else localStorage.setItem("theme", next);
  } catch {
    // Without storage the choice lasts for this page.
  }
  labelThemeButtons();
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const dateTime = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const STEPS = [
  ["year", 31536000],
  ["month", 2592000],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** "5 minutes ago", "in 3 days". */
export function ago(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return seconds > 0 ? "in less than a minute" : "just now";
}

export function showTimes(scope = document) {
  for (const time of scope.querySelectorAll("time[data-ago], time[data-clock]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.title = dateTime.format(date);
    time.textContent = "ago" in time.dataset ? ago(date) : dateTime.format(date);
  }
}

async function copy(button) {
  const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom) : null;
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.", "good");
  } catch {
    toast("The browser did not allow copying; select the text and copy it by hand.", "bad");
  }
}

function download(button) {
  const source = document.getElementById(button.dataset.downloadFrom);
  const url = URL.createObjectURL(new Blob([source.value ?? source.textContent], { type: button.dataset.type || "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = button.dataset.name || "download.txt";
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(target)) menu.open = false;
  const button = target.closest("[data-theme-toggle], [data-copy], [data-copy-from], [data-download-from], [data-dismiss], [data-open-dialog], [data-close-dialog]");
  if (!button) return;
  if (button.matches("[data-theme-toggle]")) toggleTheme();
  else if (button.matches("[data-copy], [data-copy-from]")) copy(button);
  else if (button.matches("[data-download-from]")) download(button);
  else if (button.matches("[data-dismiss]")) button.closest("[data-dismissable]")?.remove();
  else if (button.matches("[data-open-dialog]")) document.getElementById(button.dataset.openDialog)?.showModal();
  else if (button.matches("[data-close-dialog]")) button.closest("dialog")?.close();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  }
  const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const search = document.querySelector("[data-search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

// A form that cannot be taken back asks first, in a dialog of ours.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const dialog = document.getElementById("confirm");
  if (!(form instanceof HTMLFormElement) || !form.dataset.confirm || form.dataset.confirmed || !dialog) return;
  event.preventDefault();
  dialog.querySelector("[data-confirm-text]").textContent = form.dataset.confirm;
  dialog.querySelector("[data-confirm-yes]").textContent = form.dataset.confirmLabel || "Continue";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.confirmed = "true";
    form.requestSubmit(event.submitter ?? undefined);
  };
  dialog.returnValue = "";
  dialog.showModal();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !(event.target instanceof HTMLFormElement) || event.target.method !== "post") return;
  const button = event.submitter;
  if (button) queueMicrotask(() => { if (!event.defaultPrevented) button.dataset.busy = "true"; });
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const button of document.querySelectorAll("[data-busy]")) delete button.dataset.busy;
});

// A click on the backdrop closes a dialog that may be dismissed.
document.addEventListener("mousedown", (event) => {
  if (event.target instanceof HTMLDialogElement && "light" in event.target.dataset) event.target.close();
});

for (const dialog of document.querySelectorAll("dialog[data-open-at-once]")) dialog.showModal();
document.addEventListener("htmx:afterSwap", (event) => showTimes(event.target));
systemDark.addEventListener("change", labelThemeButtons);
labelThemeButtons();
showTimes();
setInterval(showTimes, 30000);
