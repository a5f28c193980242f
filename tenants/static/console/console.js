// Copies the text of a result, and keeps a button that sends a request from being pressed twice.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.lastElementChild.textContent = "Copied";
  } catch {
    const range = document.createRange();
    const folded = document.getElementById(button.dataset.copy).closest("details");
    if (folded) folded.open = true;
    range.selectNodeContents(document.getElementById(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    button.lastElementChild.textContent = "Selected: press Ctrl+C";
  }
});

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (!button || event.defaultPrevented) return;
  if (button.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  button.setAttribute("aria-busy", "true");
  button.lastElementChild.textContent = button.dataset.busy;
});

// A button with a consequence: its dialog says which. Without this script the form leads to a page that asks.
document.addEventListener("submit", (event) => {
  const dialog = "ask" in event.target.dataset && document.getElementById(event.target.dataset.ask);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
});

// A form that leads to another host. Browsers hold every further redirect against the page's form-action, too, and providers lead
// on to hosts that nobody can list: so the address is asked for and gone to. Without this script the form itself goes there.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !("leaves" in form.dataset)) return;
  event.preventDefault();
  try {
    const headers = { Accept: "application/json" };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers });
    location.assign((await answer.json()).url);
  } catch {
    form.submit();
  }
});

// A page that the browser kept comes back as it was left: with the button pressed.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// A click elsewhere closes the menu of tenants.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.c-switch[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A link to a field puts the cursor there, also where the field is folded away.
addEventListener("DOMContentLoaded", () => {
  const field = location.hash.startsWith("#id_") && document.getElementById(location.hash.slice(1));
  if (!field) return;
  for (let folded = field.closest("details"); folded; folded = folded.parentElement.closest("details")) {
    folded.open = true;
  }
  field.focus();
});
