// Text areas that hold JSON: says at once whether it parses, and where it does not.
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
