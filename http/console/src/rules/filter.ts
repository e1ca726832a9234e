// The filter bar's words: `queue:imports tag:"nightly run" created>-2h`. What the reader types becomes terms, the terms become
// chips, the URL, and the filter that the API takes. What cannot be understood is said, never dropped.
import { moment } from "./times.ts";

export interface Term { field: string; op: ":" | ">" | "<"; value: string }

export interface Parsed { terms: Term[]; faults: string[] }

export const fields = ["queue", "kind", "tag", "status", "project", "schedule", "created"] as const;

export const meanings: Record<(typeof fields)[number], string> = {
  queue: "the queue's name", kind: "http, llm, exec, workflow …", tag: "a tag of the job", status: "several with commas: running,queued",
  project: "the project", schedule: "the schedule that made it", created: "created>-2h, created<2026-01-31",
};

export const statuses = ["scheduled", "queued", "running", "succeeded", "failed", "cancelled", "pending_delete", "delete_failed"] as const;

const aliases: Record<string, string> = { type: "kind", tags: "tag", queues: "queue", created_at: "created", schedule_id: "schedule" };

// A word ends at a blank outside quotes; inside quotes a backslash takes the next sign as it is.
function words(text: string): string[] {
  const found: string[] = [];
  let word = "", quoted = false, begun = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? "";
    if (quoted && c === "\\" && i + 1 < text.length) { word += text[i + 1]; i += 1; }
    else if (c === '"') { quoted = !quoted; begun = true; }
    else if (/\s/.test(c) && !quoted) { if (begun) found.push(word); word = ""; begun = false; }
    else { word += c; begun = true; }
  }
  if (begun) found.push(word);
  return found;
}

function readTerm(word: string, now: number): Term | string {
  const match = /^([a-z_]+)(:|=|>=|<=|>|<)([\s\S]*)$/.exec(word);
  if (!match) return `“${word}” is no filter; write field:value, as in queue:${word || "default"}.`;
  const [, name = "", sign = "", value = ""] = match;
  const field = aliases[name] ?? name;
  if (!(fields as readonly string[]).includes(field)) return `“${name}” cannot be filtered by; take ${fields.join(", ")}.`;
  if (value === "") return `“${field}” has no value.`;
  const op = sign.startsWith(">") ? ">" : sign.startsWith("<") ? "<" : ":";
  if (field === "created") {
    if (op === ":") return "“created” takes > or <, as in created>-2h.";
    if (moment(value, now) === null) return `“${value}” is no time; write -2h, -7d or 2026-01-31T08:00:00Z.`;
  } else if (op !== ":") {
    return `“${field}” takes a colon, as in ${field}:${value}.`;
  }
  if (field === "status") {
    const wrong = value.split(",").find((one) => !(statuses as readonly string[]).includes(one));
    if (wrong !== undefined) return `“${wrong}” is no status; take ${statuses.join(", ")}.`;
  }
  return { field, op, value };
}

export function parse(text: string, now: number): Parsed {
  const terms: Term[] = [], faults: string[] = [];
  for (const word of words(text)) {
    const term = readTerm(word, now);
    if (typeof term === "string") faults.push(term);
    else terms.push(term);
  }
  // A field is one thing at once. Which of two values was meant nobody knows, and a delete by the wrong one is not undone by a guess.
  const first = new Map<string, Term>();
  for (const term of terms) {
    const name = `${term.field}${term.op}`, old = first.get(name);
    if (old && old.value !== term.value) faults.push(`“${term.field}” cannot be two things at once; take ${quoted(old.value)} or ${quoted(term.value)} away.`);
    else first.set(name, term);
  }
  return { terms: [...first.values()], faults };
}

function quoted(value: string): string {
  return /[\s"\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

export function termText(term: Term): string {
  return `${term.field}${term.op}${quoted(term.value)}`;
}

export function text(terms: Term[]): string {
  return terms.map(termText).join(" ");
}

/** What the API's `filter` takes. */
export function forApi(terms: Term[], now: number): string {
  const strict = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`;
  return terms.map((term) => {
    if (term.field === "created") return `created_at${term.op}${strict(new Date(moment(term.value, now) ?? now).toISOString())}`;
    const name = term.field === "tag" ? "tags" : term.field === "schedule" ? "schedule_id" : term.field;
    return `${name}=${strict(term.value)}`;
  }).join(" AND ");
}

/** The filter in words, for the dialog that deletes by it. */
export function inWords(terms: Term[], zoneTime: (iso: string) => string, now: number): string {
  if (terms.length === 0) return "every job";
  const says = (term: Term) => {
    if (term.field === "created") {
      const at = zoneTime(new Date(moment(term.value, now) ?? now).toISOString());
      return term.op === ">" ? `created after ${at}` : `created before ${at}`;
    }
    if (term.field === "status") return `that are ${term.value.split(",").map((one) => one.replace("_", " ")).join(" or ")}`;
    if (term.field === "tag") return `with the tag “${term.value}”`;
    if (term.field === "kind") return `of kind “${term.value}”`;
    return `of ${term.field} “${term.value}”`;
  };
  return `jobs ${terms.map(says).join(", ")}`;
}

/** What could stand where the cursor is: fields first, then the values that are known of one. */
export function suggestions(word: string, known: Record<string, string[]>): Array<{ text: string; hint: string }> {
  const match = /^([a-z_]+)[:<>](.*)$/.exec(word);
  if (!match) {
    return fields.filter((field) => field.startsWith(word))
      .map((field) => ({ text: `${field}${field === "created" ? ">" : ":"}`, hint: meanings[field] }));
  }
  const field = aliases[match[1] ?? ""] ?? match[1] ?? "", begun = match[2] ?? "";
  if (field === "created") return ["-1h", "-24h", "-7d"].map((value) => ({ text: `created>${value}`, hint: "newer than" }));
  const values = field === "status" ? [...statuses] : known[field] ?? [];
  return values.filter((value) => value.toLowerCase().startsWith(begun.toLowerCase())).slice(0, 8)
    .map((value) => ({ text: `${field}:${quoted(value)}`, hint: "" }));
}
