// Runs before the first paint, so that no page flashes in the wrong colours. Kept small: it blocks.
const root = document.documentElement;
let chosen = "system";
try {
  const kept = JSON.parse(localStorage.getItem("quell.choices") ?? "{}") as { theme?: string; density?: string };
  chosen = kept.theme ?? "system";
  if (kept.density) root.dataset["density"] = kept.density;
} catch { /* A browser that keeps nothing shows what the system says. */ }
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
root.dataset["theme"] = chosen === "system" ? (dark ? "dark" : "light") : chosen;
if (matchMedia("(prefers-contrast: more)").matches && chosen === "system") root.dataset["theme"] = "contrast";
