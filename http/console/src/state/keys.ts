// Keys: one table of what they do, read by the handler, by `?` and by the palette. Single letters can be switched off.
import { choices } from "./choices.ts";

export interface Key { keys: string; title: string; group: string; run: () => void; letter?: boolean }

const bound = new Map<string, Key>();
let begun: string | null = null, timer = 0;

export function bind(list: Key[]): () => void {
  for (const key of list) bound.set(key.keys, key);
  return () => { for (const key of list) if (bound.get(key.keys) === key) bound.delete(key.keys); };
}

export const allKeys = (): Key[] => [...bound.values()];

function nameOf(event: KeyboardEvent): string {
  const name = event.key === " " ? "Space" : event.key;
  const control = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const shift = event.shiftKey && (name.length > 1 || control) ? "Shift+" : "";
  return control + shift + (control && name.length === 1 ? name.toLowerCase() : name);
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && target.type !== "checkbox" && target.type !== "radio"));

const isPressable = (target: EventTarget | null): boolean => target instanceof HTMLElement && target.closest("a, button, summary, input, select, textarea") !== null;

function pressed(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
  let name = nameOf(event);
  if (isTyping(event.target) && !name.startsWith("Ctrl+k") && name !== "Escape") return;
  // A button keeps its own keys.
  if ((name === "Enter" || name === "Space") && isPressable(event.target)) return;
  if (begun !== null) name = `${begun} ${name}`;
  begun = null;
  clearTimeout(timer);
  const isLetter = event.key.length === 1 && !event.ctrlKey && !event.metaKey;
  if (isLetter && !choices.value.letters) return;
  if (name === "g") {
    begun = "g";
    timer = window.setTimeout(() => { begun = null; }, 1200);
    return;
  }
  const key = bound.get(name);
  if (!key) return;
  event.preventDefault();
  key.run();
}

export function beginKeys(): void { document.addEventListener("keydown", pressed); }
