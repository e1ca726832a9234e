// One polite line for readers of the screen, at most one in two seconds, and short notes of what went well.
import { signal } from "@preact/signals";

export const spoken = signal("");
export interface Note { id: number; text: string }
export const notes = signal<Note[]>([]);

let next = "", timer = 0, last = 0, count = 0;
const apart = 2000, shown = 5000;

function speak(): void {
  timer = 0;
  last = Date.now();
  spoken.value = next;
}

export function say(text: string): void {
  next = text;
  if (!timer) timer = window.setTimeout(speak, Math.max(0, last + apart - Date.now()));
}

/** For what succeeded; faults stay where they happened. */
export function note(text: string): void {
  const one = { id: count += 1, text };
  notes.value = [...notes.value, one];
  say(text);
  window.setTimeout(() => { notes.value = notes.value.filter((other) => other !== one); }, shown);
}
