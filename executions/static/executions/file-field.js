// A field that takes files: chosen or dropped, uploaded at once, shown with name, size and progress, and removable.
// A hidden control holds the ids that the server gave, one a line; whoever changes it from outside sends "input".
import { el, toast } from "../site/dom.js";
import { api } from "../wallets/api.js";

const UNITS = ["bytes", "KB", "MB", "GB"];

/** `1.4 MB`. */
export function sizeText(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

export class FileField {
  #root;
  #control;
  #chooser;
  #list;
  #agent;
  #many;
  #maxBytes;
  #maxItems;
  #entries = [];
  #known = new Map();

  constructor(root, agent) {
    this.#root = root;
    this.#agent = agent;
    this.#control = root.querySelector("[data-widget]");
    this.#chooser = root.querySelector("input[type=file]");
    this.#list = root.querySelector("[data-files]");
    this.#many = this.#control.dataset.widget === "files";
    this.#maxBytes = Number(root.dataset.maxBytes);
    this.#maxItems = this.#many ? Number(root.dataset.maxItems || 20) : 1;
    for (const item of this.#list.querySelectorAll("[data-file]")) {
      this.#known.set(item.dataset.file, { name: item.dataset.name, size: Number(item.dataset.size) });
    }
    this.#chooser.addEventListener("change", () => {
      this.#add([...this.#chooser.files]);
      this.#chooser.value = "";
    });
    this.#control.addEventListener("input", () => this.#read());
    root.addEventListener("dragover", (event) => {
      event.preventDefault();
      root.dataset.over = "";
    });
    root.addEventListener("dragleave", () => delete root.dataset.over);
    root.addEventListener("drop", (event) => {
      event.preventDefault();
      delete root.dataset.over;
      this.#add([...event.dataTransfer.files]);
    });
    this.#read();
  }

  /** Whether something is still on its way to the server. */
  get busy() {
    return this.#entries.some((entry) => entry.request);
  }

  /** Takes over the control's value; an example may be a `data:` address instead of an id. */
  #read() {
    const values = this.#control.value.split(/\s+/).filter(Boolean);
    const kept = this.#entries.map((entry) => entry.id).filter(Boolean);
    if (values.join() === kept.join()) {
      this.#draw();
      return;
    }
    for (const entry of this.#entries) entry.request?.abort();
    const examples = values.filter((value) => value.startsWith("data:"));
    this.#entries = values
      .filter((value) => !value.startsWith("data:"))
      .map((id) => ({ id, ...(this.#known.get(id) ?? { name: "A file uploaded before", size: null }) }));
    this.#draw();
    if (examples.length) this.#write();
    for (const value of examples) this.#add([fileOf(value)]);
  }

  #add(files) {
    if (!this.#many) {
      if (files.length > 1) toast("Only one file fits here; the first one was taken.", "bad");
      for (const entry of this.#entries) this.#remove(entry);
    }
    for (const file of files.slice(0, this.#many ? files.length : 1)) {
      if (this.#entries.length >= this.#maxItems) {
        toast(`At most ${this.#maxItems} files fit here.`, "bad");
        break;
      }
      const entry = { name: file.name, size: file.size, share: 0 };
      this.#entries.push(entry);
      if (file.size > this.#maxBytes) entry.error = `This is larger than ${sizeText(this.#maxBytes)}.`;
      else this.#upload(entry, file);
    }
    this.#draw();
  }

  #upload(entry, file) {
    const body = new FormData();
    body.append("file", file);
    if (this.#agent) {
      body.append("agent", this.#agent);
      body.append("field", this.#control.name);
    }
    // fetch() does not tell how far an upload is.
    const request = new XMLHttpRequest();
    entry.request = request;
    request.upload.addEventListener("progress", (event) => {
      entry.share = event.lengthComputable ? event.loaded / event.total : 0;
      entry.bar.value = entry.share;
    });
    request.addEventListener("loadend", () => {
      entry.request = null;
      const answer = parsed(request.responseText);
      if (request.status === 201) {
        entry.id = answer.id;
        this.#known.set(answer.id, { name: answer.name, size: answer.size });
      } else {
        entry.error = answer?.detail ?? "It could not be uploaded. Check your connection and choose it again.";
      }
      this.#write();
    });
    request.open("POST", "/api/v1/files");
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", document.querySelector('meta[name="csrf-token"]')?.content ?? "");
    request.send(body);
  }

  #remove(entry) {
    entry.request?.abort();
    this.#entries = this.#entries.filter((other) => other !== entry);
    // One that a run has stays with that run; the server says no, and that is all right.
    if (entry.id) api("DELETE", `/api/v1/files/${entry.id}`).catch(() => {});
    this.#write();
  }

  #write() {
    this.#control.value = this.#entries.map((entry) => entry.id).filter(Boolean).join("\n");
    this.#draw();
  }

  #draw() {
    this.#list.replaceChildren(...this.#entries.map((entry) => this.#item(entry)));
  }

  #item(entry) {
    entry.bar = entry.request ? el("progress", { class: "meter", max: 1, "aria-label": `Uploading ${entry.name}` }) : null;
    if (entry.bar) entry.bar.value = entry.share;
    const remove = el("button", { type: "button", class: "btn btn-ghost btn-sm", "aria-label": `Remove ${entry.name}` }, "Remove");
    remove.addEventListener("click", () => this.#remove(entry));
    const size = entry.size === null ? null : el("span", { class: "text-sm whitespace-nowrap text-muted" }, ` ${sizeText(entry.size)}`);
    return el(
      "li",
      { class: "dropzone-file" },
      el("p", { class: "min-w-0 flex-1 wrap-anywhere" }, el("span", { class: "font-semibold" }, entry.name), size),
      remove,
      entry.bar,
      entry.error ? el("p", { class: "error-text w-full", role: "alert" }, entry.error) : null,
    );
  }
}

function fileOf(address) {
  const [, kind, name] = /^data:([^;,]*)(?:;name=([^;,]*))?/.exec(address) ?? [];
  // The policy of the site lets no page fetch such an address.
  const [head, data] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
  const bytes = head.endsWith(";base64") ? Uint8Array.from(atob(data), (char) => char.charCodeAt(0)) : decodeURIComponent(data);
  return new File([bytes], name ? decodeURIComponent(name) : "example", { type: kind || "text/plain" });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
