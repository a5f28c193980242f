// Fills the boxes that have a request of their own, so that what is slow or down doesn't hold up the page.
for (const box of document.querySelectorAll("[data-fragment]")) {
  fill(box);
}

async function fill(box) {
  const given_up = AbortSignal.timeout(5000);
  try {
    const response = await fetch(box.dataset.fragment, { signal: given_up, cache: "no-store" });
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    box.innerHTML = await response.text();
  } catch {
    box.textContent = box.dataset.fallback;
  }
  box.removeAttribute("aria-busy");
}
