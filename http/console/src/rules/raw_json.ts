// JSON as text, for what must keep every digit: a number that a browser reads and writes again is another one.

const tokens = (text: string): string[] => text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
const opens = (token: string): boolean => token === "{" || token === "[";
const closes = (token: string): boolean => token === "}" || token === "]";

/** Without blanks between its parts. */
export const compact = (text: string): string => tokens(text).join("");

/** With each part on a line of its own. */
export function indented(text: string): string {
  const list = tokens(text);
  let out = "", depth = 0;
  const line = (): string => `\n${"  ".repeat(depth)}`;
  for (let i = 0; i < list.length; i += 1) {
    const token = list[i] ?? "", next = list[i + 1] ?? "";
    if (opens(token) && closes(next)) { out += token + next; i += 1; }
    else if (opens(token)) { depth += 1; out += token + line(); }
    else if (closes(token)) { depth -= 1; out += line() + token; }
    else out += token === "," ? `,${line()}` : token === ":" ? ": " : token;
  }
  return out;
}

/** The text of a member of an object; nothing when it has none. */
export function memberText(text: string, name: string): string | null {
  const list = tokens(text);
  let depth = 0, from = -1;
  for (let i = 0; i < list.length; i += 1) {
    const token = list[i] ?? "";
    if (from >= 0 && depth === 1 && (token === "," || closes(token))) return list.slice(from, i).join("");
    if (opens(token)) depth += 1; else if (closes(token)) depth -= 1;
    if (from < 0 && depth === 1 && token.startsWith('"') && list[i + 1] === ":" && JSON.parse(token) === name) { from = i + 2; i += 1; }
  }
  return null;
}

/** An object with one member whose text is given and stays as it is. */
export function withMember(rest: Record<string, unknown>, name: string, text: string): string {
  return `{${[...Object.entries(rest).filter(([, value]) => value !== undefined).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`), `${JSON.stringify(name)}:${compact(text)}`].join(",")}}`;
}
