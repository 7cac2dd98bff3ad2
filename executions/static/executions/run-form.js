// The run form: the example, files into text fields, counters, and the same input as JSON text.
// Numbers travel as the digits that were typed: JavaScript's own would round what is larger than 2^53.
import { toast } from "../site/dom.js";
import { FileField } from "./file-field.js";

const form = document.getElementById("run");
const mode = form.elements.__mode;
const text = form.elements.__document;
const state = form.querySelector("[data-document-state]");
const controls = [...form.querySelectorAll("[data-widget]")];
const MAX_FILE = 5 * 1024 * 1024;

const isNumber = (value) => /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value.trim());
const items = (value) => value.split("\n").map((line) => line.trim()).filter(Boolean);

/** JSON text of one control's value, or null when it is empty. */
function jsonOf(control) {
  const value = control.value ?? "";
  switch (control.dataset.widget) {
    case "checkbox":
      return String(control.checked);
    case "number":
    case "integer":
      return value.trim() === "" ? null : isNumber(value) ? value.trim() : JSON.stringify(value.trim());
    case "select":
      return value || null;
    case "json":
      return value.trim() || null;
    case "files":
    case "list": {
      const numeric = ["number", "integer"].includes(control.dataset.itemType);
      const parts = items(value).map((item) => (numeric && isNumber(item) ? item : JSON.stringify(item)));
      return parts.length ? `[${parts.join(", ")}]` : null;
    }
    default:
      return value === "" ? null : JSON.stringify(value);
  }
}

function documentFromForm() {
  const members = controls.map((control) => [control.name, jsonOf(control)]).filter(([, json]) => json !== null);
  return `{\n${members.map(([name, json]) => `  ${JSON.stringify(name)}: ${json}`).join(",\n")}\n}`;
}

/** Puts a value as the server shows it (text, or whether it is checked) into a control. */
function put(control, shown) {
  if (control.dataset.widget === "checkbox") control.checked = shown === true;
  else control.value = shown ?? "";
  control.dispatchEvent(new Event("input", { bubbles: true }));
}

function fillFromDocument() {
  let parsed;
  try {
    parsed = JSON.parse(text.value);
  } catch {
    return false;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return false;
  const known = new Set(controls.map((control) => control.name));
  if (Object.keys(parsed).some((name) => !known.has(name))) return false;
  for (const control of controls) {
    const value = parsed[control.name];
    const kind = control.dataset.widget;
    if (kind === "checkbox") put(control, value === true);
    else if (value === undefined || value === null) put(control, "");
    else if (kind === "select") put(control, [...control.options].find((option) => option.value && same(option.value, value))?.value ?? "");
    else if (kind === "list" || kind === "files") put(control, Array.isArray(value) ? value.map(String).join("\n") : "");
    else if (kind === "json") put(control, JSON.stringify(value, null, 2));
    else put(control, String(value));
  }
  return true;
}

function same(json, value) {
  try {
    return JSON.stringify(JSON.parse(json)) === JSON.stringify(value);
  } catch {
    return json === value;
  }
}

function show(name) {
  if (name === mode.value) return;
  if (name === "json") text.value = documentFromForm();
  else if (text.value.trim() && !fillFromDocument()) {
    toast("This document does not fit the form's fields, so it stays as JSON. Correct it, or run it as it is.", "bad");
    return;
  }
  mode.value = name;
  for (const part of form.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== name;
  for (const button of form.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === name));
  checkDocument();
  if (name === "json") text.focus();
}

function checkDocument() {
  if (mode.value !== "json" || !text.value.trim()) {
    state.textContent = "";
    return;
  }
  try {
    JSON.parse(text.value);
    state.textContent = "Valid JSON.";
  } catch (error) {
    state.textContent = `Not JSON yet: ${error.message}`;
  }
}

function useExample() {
  if (mode.value === "json") {
    text.value = document.getElementById("example-document").textContent;
    checkDocument();
    return;
  }
  const shown = JSON.parse(document.getElementById("example-fields").textContent);
  for (const control of controls) put(control, shown[control.name] ?? "");
  controls[0]?.focus();
}

async function load(chooser) {
  const [file] = chooser.files;
  chooser.value = "";
  if (!file) return;
  if (file.size > MAX_FILE) {
    toast(`${file.name} is larger than 5 MB, which no run accepts.`, "bad");
    return;
  }
  try {
    // Undecodable bytes are an error, not a field full of question marks.
    put(document.getElementById(chooser.dataset.loadInto), new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer()));
    toast(`${file.name} is loaded.`, "good");
  } catch {
    toast(`${file.name} is not a text file in UTF-8.`, "bad");
  }
}

function count(counter) {
  const control = document.getElementById(counter.dataset.counterFor);
  const max = Number(counter.dataset.max);
  const update = () => {
    const used = [...control.value].length;
    counter.textContent = `${used.toLocaleString("en")} of ${max.toLocaleString("en")} characters.`;
    counter.classList.toggle("text-danger", used > max);
  };
  control.addEventListener("input", update);
  update();
}

for (const button of form.querySelectorAll("[data-show]")) button.addEventListener("click", () => show(button.dataset.show));
for (const chooser of form.querySelectorAll("[data-load-into]")) chooser.addEventListener("change", () => load(chooser));
for (const counter of form.querySelectorAll("[data-counter-for]")) count(counter);
form.querySelector("[data-example]")?.addEventListener("click", useExample);
text.addEventListener("input", checkDocument);
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
const fileFields = [...form.querySelectorAll("[data-file-field]")].map((field) => new FileField(field, form.dataset.agent));
form.addEventListener("submit", (event) => {
  if (!fileFields.some((field) => field.busy)) return;
  event.preventDefault();
  toast("A file is still on its way. Wait until it is there, then run again.", "bad");
});
form.querySelector("[data-form-errors]")?.focus();
checkDocument();
