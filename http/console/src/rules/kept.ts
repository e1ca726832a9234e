// What a browser kept for us, read as if a stranger had written it: an older build, another tab, or a hand.

export type Is = (value: unknown) => boolean;

export const isText: Is = (value) => typeof value === "string";
export const isFlag: Is = (value) => typeof value === "boolean";
export const oneOf = (...values: unknown[]): Is => (value) => values.includes(value);
export const listOf = (is: Is): Is => (value) => Array.isArray(value) && value.every(is);
export const withTexts = (...names: string[]): Is => (value) => typeof value === "object" && value !== null && names.every((name) => isText((value as Record<string, unknown>)[name]));

function parsed(text: string | null): unknown {
  try { return JSON.parse(text ?? "null") as unknown; } catch { return null; }
}

/** Each member that is what it should be; of the others the usual one. */
export function membersOf<T extends object>(text: string | null, usual: T, is: Record<keyof T, Is>): T {
  const found = parsed(text), kept = { ...usual };
  if (typeof found !== "object" || found === null) return kept;
  for (const name of Object.keys(usual) as Array<keyof T>) {
    const value = (found as T)[name];
    if (Object.hasOwn(found, name) && is[name](value)) kept[name] = value;
  }
  return kept;
}

/** The texts of a list; nothing of what is no list. */
export function textsOf(text: string | null): string[] {
  const found = parsed(text);
  return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
}
