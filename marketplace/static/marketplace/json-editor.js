// Text areas that hold JSON: says at once whether it parses, and where it does not.
// Beside the input schema: the run form as it would be, drawn by the server from what is typed.
import { el } from "../site/dom.js";

for (const area of document.querySelectorAll("textarea.input-code")) {
  const state = el("p", { class: "help", role: "status" });
  area.after(state);
  const check = () => {
    if (!area.value.trim()) {
      state.textContent = "";
      return;
    }
    try {
      JSON.parse(area.value);
      state.textContent = "Valid JSON.";
    } catch (error) {
      state.textContent = `Not JSON yet: ${error.message}`;
    }
  };
  area.addEventListener("input", check);
  check();
}

const WAIT = 500;
for (const box of document.querySelectorAll("[data-preview]")) {
  const area = document.getElementById(box.dataset.of);
  const body = box.querySelector("[data-preview-body]");
  let timer = null;
  let asked = null;
  const draw = async () => {
    if (!box.open || asked === area.value) return;
    const schema = (asked = area.value);
    const token = document.querySelector('meta[name="csrf-token"]').content;
    try {
      const answer = await fetch(box.dataset.preview, {
        method: "POST",
        credentials: "same-origin",
        headers: { "X-CSRFToken": token },
        body: new URLSearchParams({ schema }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (schema !== asked) return; // typed on meanwhile
      // It is only looked at: its controls must not be sent with the form around it.
      for (const control of page.querySelectorAll("[name]")) control.removeAttribute("name");
      body.replaceChildren(...page.body.childNodes);
    } catch {
      asked = null;
      body.replaceChildren(el("p", { class: "help" }, "The preview could not be loaded; it is tried again when you type on."));
    }
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(draw, WAIT);
  });
  box.addEventListener("toggle", draw);
}
