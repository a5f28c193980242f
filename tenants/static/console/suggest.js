// Suggests names for the field that one is typed into, as many as its address answers with.
for (const field of document.querySelectorAll("[data-suggest]")) {
  const found = document.createElement("datalist");
  found.id = `${field.id}_found`;
  field.after(found);
  field.setAttribute("list", found.id);
  let waiting;
  let asked = 0;

  async function ask() {
    const turn = ++asked;
    const address = new URL(field.dataset.suggest, location.href);
    address.searchParams.set("q", field.value);
    try {
      const response = await fetch(address, { cache: "no-store" });
      // A later answer may have come before this one.
      if (!response.ok || response.redirected || turn !== asked) return;
      const rows = await response.json();
      found.replaceChildren(...rows.map(({ value, label }) => new Option(label, value)));
    } catch {
      // The whole name can still be typed.
    }
  }

  field.addEventListener("focus", ask, { once: true });
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 150);
  });
}
