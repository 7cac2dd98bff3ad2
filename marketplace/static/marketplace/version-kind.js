// Shows the field of the kind that was chosen. Without script the server shows the one that was sent.
const kind = document.querySelector("#id_kind");
const parts = document.querySelectorAll("[data-kind]");
const show = () => parts.forEach((part) => (part.hidden = part.dataset.kind !== kind.value));
kind?.addEventListener("change", show);
show();
