// Keeps a part of the page up to date until what it shows is over. A request that fails is tried again.
for (const part of document.querySelectorAll("[data-live]")) {
  follow(part);
}

async function follow(part) {
  while (!part.querySelector("[data-over]")) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (document.hidden) continue;
    try {
      const signal = AbortSignal.timeout(5000);
      const response = await fetch(part.dataset.live, { signal, cache: "no-store" });
      if (response.redirected || response.status === 404) return location.reload();
      if (response.ok) part.innerHTML = await response.text();
    } catch {
      // The next one may get through.
    }
  }
}
