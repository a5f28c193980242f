// Fills in a config's form with what the provider publishes. It marks what it replaced, can undo it, and saves nothing.
const box = document.getElementById("discovery");
const form = document.getElementById("config-form");
const issuer = document.getElementById("discovery-issuer");
const ask = document.getElementById("discovery-ask");
const said = document.getElementById("discovery-said");
const BROKEN = "The console didn't answer as expected. Reload the page, then try again.";

// What stood in a field before it was filled in, and the mark that says so.
const replaced = new Map();

function made(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function notice(kind, icon, text) {
  const node = made("div", `c-notice ${kind}`);
  const sign = made("span", "material-symbols-outlined", icon);
  sign.setAttribute("aria-hidden", "true");
  node.append(sign, made("div", "", text));
  return node;
}

function button(text, name, press) {
  const node = made("button", "c-text-button", text);
  node.type = "button";
  if (name) node.setAttribute("aria-label", name);
  node.addEventListener("click", press);
  return node;
}

function labelOf(field) {
  return field.labels[0].firstChild.textContent.trim();
}

function shown(field, value) {
  if (field.tagName !== "SELECT") return value;
  return [...field.options].find((option) => option.value === value)?.text ?? value;
}

function put(field, value) {
  field.value = value;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
}

function undo(field) {
  const { was, mark } = replaced.get(field);
  put(field, was);
  mark.remove();
  field.classList.remove("c-filled");
  replaced.delete(field);
  field.focus();
}

// What is published, with the query that was typed to the same address.
function withTypedQuery(typed, published) {
  try {
    const [was, now] = [new URL(typed), new URL(published)];
    const same = was.origin === now.origin && was.pathname === now.pathname;
    return same && was.search && !now.search ? typed : published;
  } catch {
    return published;
  }
}

// Puts a value in; the sentence says what became of the field.
function fill(field, published) {
  const value = withTypedQuery(field.value, published);
  const label = labelOf(field);
  const was = replaced.get(field)?.was ?? field.value;
  if (field.value === value && !replaced.has(field)) return `${label}: stays ${shown(field, value)}`;
  replaced.get(field)?.mark.remove();
  put(field, value);
  const before = was ? `was ${shown(field, was)}` : "was empty";
  const mark = made("p", "c-mark", `Filled in from the provider, ${before}. `);
  mark.append(button("Undo", `Undo: ${label}`, () => undo(field)));
  field.after(mark);
  field.classList.add("c-filled");
  replaced.set(field, { was, mark });
  const closed = field.closest("details:not([open])");
  if (closed) closed.open = true;
  return `${label}: ${before}, now ${shown(field, value)}`;
}

function offerScopes(names) {
  const field = form.elements.scope;
  document.getElementById("discovery-scopes")?.remove();
  if (!field || !names.length) return;
  const words = () => field.value.split(/\s+/).filter(Boolean);
  const group = made("div", "c-chips");
  group.id = "discovery-scopes";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Scopes that the provider supports");
  const chips = names.map((name) => {
    const chip = made("button", "c-chip", name);
    chip.type = "button";
    chip.addEventListener("click", () => {
      const kept = words().filter((word) => word !== name);
      put(field, (words().includes(name) ? kept : [...kept, name]).join(" "));
    });
    return chip;
  });
  const press = () => {
    const chosen = new Set(words());
    for (const chip of chips) chip.setAttribute("aria-pressed", chosen.has(chip.textContent));
  };
  field.addEventListener("input", press);
  press();
  group.append(...chips);
  field.after(group);
}

function show(found) {
  const lines = made("ul", "c-found");
  for (const [name, value] of Object.entries(found.fields)) {
    lines.append(made("li", "", fill(form.elements[name], value)));
  }
  for (const [name, value] of found.facts) lines.append(made("li", "", `${name}: ${value}`));
  if (found.scopes.length) {
    lines.append(made("li", "", `Scopes: ${found.scopes.length}, to choose from below the field`));
  }
  const warnings = found.warnings.map((text) => notice("c-warn", "warning", text));
  const told = replaced.size
    ? `${found.issuer} was found. Check the marked fields, then save.`
    : `${found.issuer} was found, and the form agrees with it.`;
  said.replaceChildren(notice("c-good", "check_circle", told), ...warnings, lines);
  offerScopes(found.scopes);
}

async function answered() {
  const value = (name) => form.elements[name]?.value ?? "";
  const names = ["csrfmiddlewaretoken", "_tenant", "method", "client_auth"];
  const body = new URLSearchParams(names.map((name) => [name, value(name)]));
  body.set("issuer", issuer.value);
  const response = await fetch(box.dataset.url, { method: "POST", body });
  return response.json();
}

async function lookUp() {
  if (ask.getAttribute("aria-busy") === "true") return;
  const text = ask.lastElementChild.textContent;
  ask.setAttribute("aria-busy", "true");
  ask.lastElementChild.textContent = "Asking…";
  try {
    const found = await answered();
    if (found.ok) show(found);
    else said.replaceChildren(notice("c-bad", "error", found.summary));
  } catch {
    said.replaceChildren(notice("c-bad", "error", BROKEN));
  }
  ask.removeAttribute("aria-busy");
  ask.lastElementChild.textContent = text;
}

ask.addEventListener("click", lookUp);
issuer.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  // It would save the form.
  event.preventDefault();
  lookUp();
});
