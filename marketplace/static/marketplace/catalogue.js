// The catalogue's search: addresses without empty parameters, so that a shared link says only what was asked.
document.addEventListener("htmx:configRequest", (event) => {
  const parameters = event.detail.parameters;
  for (const [name, value] of Object.entries(parameters)) if (value === "") delete parameters[name];
});
