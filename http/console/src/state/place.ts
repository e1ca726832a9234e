// Where we are: the address bar is the only state of a page that another page may know.
import { computed, signal } from "@preact/signals";
import { placeOf, type Place } from "../rules/links.ts";
import { prefix } from "./client.ts";

const address = signal(location.pathname + location.search);
export const place = computed<Place>(() => {
  const at = address.value.indexOf("?");
  return at < 0 ? placeOf(address.value, "", prefix) : placeOf(address.value.slice(0, at), address.value.slice(at), prefix);
});

export const href = (own: string): string => prefix + own;

export function go(own: string, replace = false): void {
  if (replace) history.replaceState(null, "", prefix + own); else history.pushState(null, "", prefix + own);
  const page = place.value.page, id = place.value.id;
  address.value = location.pathname + location.search;
  if (page !== place.value.page || id !== place.value.id) arrived();
}

// A new page begins at its top, and a reader of the screen hears its name.
function arrived(): void {
  scrollTo(0, 0);
  requestAnimationFrame(() => document.querySelector<HTMLElement>("main h1")?.focus());
}

addEventListener("popstate", () => { address.value = location.pathname + location.search; });

/** Changes members of the query, and keeps the rest. */
export function withQuery(change: Record<string, string | null>): string {
  const query = new URLSearchParams(place.value.query);
  for (const [name, value] of Object.entries(change)) if (value) query.set(name, value); else query.delete(name);
  const text = query.toString();
  const path = location.pathname.slice(prefix.length) || "/";
  return text ? `${path}?${text}` : path;
}
