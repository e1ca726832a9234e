// What this browser's user likes: kept here, told to no server. Nothing secret is among it.
import { effect, signal } from "@preact/signals";
import { isFlag, isText, listOf, membersOf, oneOf, withTexts, type Is } from "../rules/kept.ts";
import type { Zone } from "../rules/times.ts";

export type Theme = "system" | "light" | "dark" | "contrast";
export interface View { name: string; search: string }
export interface Choices {
  theme: Theme; density: "comfortable" | "compact"; zone: Zone; live: boolean; letters: boolean; columns: string[]; pageSize: number; views: View[]; language: "en" | "de";
}

const usual: Choices = {
  theme: "system", density: "comfortable", zone: "local", live: true, letters: true,
  columns: ["kind", "queue", "status", "progress", "note", "age", "worker"], pageSize: 50, views: [], language: "en",
};

const are: Record<keyof Choices, Is> = {
  theme: oneOf("system", "light", "dark", "contrast"), density: oneOf("comfortable", "compact"), zone: oneOf("local", "utc"), live: isFlag, letters: isFlag,
  columns: listOf(isText), pageSize: oneOf(50, 100, 500), views: listOf(withTexts("name", "search")), language: oneOf("en", "de"),
};

function kept(): Choices {
  try {
    return membersOf(localStorage.getItem("quell.choices"), usual, are);
  } catch {
    return usual;
  }
}

export const choices = signal<Choices>(kept());

export function choose(change: Partial<Choices>): void {
  choices.value = { ...choices.value, ...change };
  try {
    localStorage.setItem("quell.choices", JSON.stringify(choices.value));
  } catch { /* It holds until the page is closed. */ }
}

export function beginChoices(): void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const contrast = matchMedia("(prefers-contrast: more)");
  const paint = (): void => {
    const { theme, density } = choices.value;
    const system = contrast.matches ? "contrast" : dark.matches ? "dark" : "light";
    document.documentElement.dataset["theme"] = theme === "system" ? system : theme;
    document.documentElement.dataset["density"] = density;
  };
  effect(paint);
  dark.addEventListener("change", paint);
  contrast.addEventListener("change", paint);
  // Another tab chose otherwise.
  addEventListener("storage", (event) => { if (event.key === "quell.choices") choices.value = kept(); });
}
