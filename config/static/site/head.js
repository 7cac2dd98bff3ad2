// Runs before anything is drawn: the pages' modules come later.

// A chosen colour scheme must be there with the first paint.
(() => {
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden; the system's preference then decides.
  }
})();

// A button pressed before the modules have run would do nothing, or send its form without them: it waits for them.
(() => {
  let pressed = null;
  const hold = (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (pressed) delete pressed.dataset.busy;
    pressed = button;
    pressed.dataset.busy = "true";
  };
  document.addEventListener("click", hold, true);
  document.addEventListener("DOMContentLoaded", () => {
    document.removeEventListener("click", hold, true);
    if (!pressed) return;
    delete pressed.dataset.busy;
    pressed.click();
  });
})();
