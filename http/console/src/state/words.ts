// The console's texts: English is the key, a language is a table from it, and what a table lacks stays English. Only what the
// console itself says goes through here, never what a job says.
import { effect, signal } from "@preact/signals";
import { choices } from "./choices.ts";

export type Table = Readonly<Record<string, string>>;

const table = signal<Table>({});

export const t = (text: string): string => table.value[text] ?? text;

/** A table comes when it is chosen, as a file of its own. */
export function beginWords(): void {
  effect(() => {
    const wanted = choices.value.language;
    document.documentElement.lang = wanted;
    if (wanted === "en") { table.value = {}; return; }
    void import("../words/de.ts").then(({ de }) => { if (choices.value.language === wanted) table.value = de; });
  });
}
