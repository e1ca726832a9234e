// How many jobs ended and were deleted, counted from the stream since this tab opened; nothing is asked of the server for it.
import { signal } from "@preact/signals";
import type { LiveEvent } from "../rules/events.ts";
import { watch } from "./live.ts";

/** Nothing (null) is known of the ten minutes before the page opened; they are there so that the first minutes have a place. */
export interface Rates { at: number[]; ended: Array<number | null>; deleted: Array<number | null> }
const bucket = 5, most = 720;  // seconds; an hour
const start = Math.floor(Date.now() / 1000 / bucket) * bucket;
export const rates = signal<Rates>({ at: [start - 600, start], ended: [null, 0], deleted: [null, 0] });
const ends = new Set(["job.succeeded", "job.failed", "job.cancelled"]);

function upTo(old: Rates, now: number): Rates {
  const next = { at: [...old.at], ended: [...old.ended], deleted: [...old.deleted] };
  for (let at = (next.at.at(-1) ?? now) + bucket; at <= now; at += bucket) { next.at.push(at); next.ended.push(0); next.deleted.push(0); }
  const over = next.at.length - most;
  return over > 0 ? { at: next.at.slice(over), ended: next.ended.slice(over), deleted: next.deleted.slice(over) } : next;
}

function count(events: readonly LiveEvent[]): void {
  const next = upTo(rates.value, Math.floor(Date.now() / 1000 / bucket) * bucket), last = next.at.length - 1;
  next.ended[last] = (next.ended[last] ?? 0) + events.filter((event) => ends.has(event.type)).length;
  next.deleted[last] = (next.deleted[last] ?? 0) + events.filter((event) => event.type === "job.deleted").length;
  rates.value = next;
}

export function beginRates(): void {
  watch(count);
  setInterval(() => { if (document.visibilityState === "visible") count([]); }, bucket * 1000);
}
