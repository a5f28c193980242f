// Shows what the form sends and does as it is typed. A typed secret stays in the browser: dots go in its place.
const DOTS = "••••";
const PAUSE = 300;
const form = document.getElementById("config-form");
const box = document.getElementById("preview");
let shown = asTyped().toString();
let waiting = null;
let asked = 0;

function dotsFor(value) {
  if (Array.isArray(value)) return value.map(dotsFor);
  return value === null || value === "" ? value : DOTS;
}

// The names of a mapping aren't secret.
function hidden(field) {
  if (!field.value || field.tagName !== "TEXTAREA") return dotsFor(field.value);
  try {
    const pairs = Object.entries(JSON.parse(field.value));
    return JSON.stringify(Object.fromEntries(pairs.map(([name, value]) => [name, dotsFor(value)])));
  } catch {
    return DOTS;
  }
}

function asTyped() {
  const body = new URLSearchParams(new FormData(form));
  for (const field of form.querySelectorAll("[data-secret] [name]:not([type=checkbox])")) {
    body.set(field.name, hidden(field));
  }
  return body;
}

function put(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  for (const part of box.querySelectorAll("[data-part]")) {
    const found = answer.content.querySelector(`[data-part=${part.dataset.part}]`);
    if (found && found.innerHTML !== part.innerHTML) part.replaceChildren(...found.childNodes);
  }
}

async function refresh() {
  const body = asTyped();
  if (body.toString() === shown) return;
  shown = body.toString();
  const mine = ++asked;
  try {
    const signal = AbortSignal.timeout(5000);
    const response = await fetch(box.dataset.url, { method: "POST", body, signal });
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    const html = await response.text();
    // A slow answer may come after one that was asked for later.
    if (mine === asked) put(html);
  } catch {
    if (mine !== asked) return;
    shown = "";
    box.querySelector("[data-part=sent]").textContent = box.dataset.fallback;
  }
}

function later() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, PAUSE);
}

// A row of a mapping is removed by a click, which is no input.
for (const kind of ["input", "change", "click"]) form.addEventListener(kind, later);
