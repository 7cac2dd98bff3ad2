// Passkeys: makes or uses one when the form's button is pressed, puts the answer into the form and sends it.
// `window.webauthnJSON` turns the server's options into what the browser wants, and the answer back into JSON.
import { busy } from "../site/dom.js";

const DECLINED = new Set(["NotAllowedError", "AbortError"]);

function explain(error, action) {
  if (DECLINED.has(error.name)) return action === "create" ? "No passkey was made. You can try again." : "No passkey was used. You can try again, or sign in another way.";
  if (error.name === "InvalidStateError") return "This device already holds a passkey for your account.";
  if (error.name === "SecurityError") return `Passkeys do not work at this address (${location.hostname}). Open the site under its own name.`;
  if (error.name === "NotSupportedError") return "This device cannot make a passkey of the kind that is needed. Try another one, or a phone.";
  return "Your browser could not use a passkey here. Try another browser, or sign in another way.";
}

function say(form, sentence) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.querySelector("[data-text]").textContent = sentence;
  problem.hidden = false;
}

async function options(form) {
  if (form.dataset.optionsFrom) return JSON.parse(document.getElementById(form.dataset.optionsFrom).textContent);
  const response = await fetch(form.action, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`options: status ${response.status}`);
  return response.json();
}

async function run(form, button) {
  form.querySelector("[data-passkey-problem]").hidden = true;
  busy(button, true);
  try {
    const given = await options(form);
    const action = form.dataset.passkey;
    const credential =
      action === "create" ? await window.webauthnJSON.create(given.creation_options) : await window.webauthnJSON.get(given.request_options);
    form.querySelector("[name=credential]").value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    say(form, explain(error, form.dataset.passkey));
    busy(button, false);
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("[data-passkey-go]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form, button);
  });
  // Until here it is disabled: a form sent before this script was there would hold no passkey.
  if (window.PublicKeyCredential) button.disabled = false;
  else say(form, "This browser does not know passkeys.");
}
