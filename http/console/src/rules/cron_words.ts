// A schedule in words. What has no short sentence has none: the expression itself always stands beside it.
import { ordinal, span } from "./times.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const named: Record<string, string> = { "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *" };

function all(list: string[]): string {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** The plain numbers of a field as in "0,30"; nothing for ranges, steps and stars. */
function numbers(field: string): number[] | null {
  return /^\d{1,2}(,\d{1,2})*$/.test(field) ? field.split(",").map(Number) : null;
}

const step = (field: string): number | null => { const found = /^\*\/(\d{1,2})$/.exec(field); return found ? Number(found[1]) : null; };

/** Each part of a list of names, numbers and ranges in words; nothing when a part is none of these. */
function nameList(field: string, nameOf: (part: string) => string | null): string | null {
  const parts = field.split(",").map((part) => {
    const [from = "", to, more] = part.split("-"), first = nameOf(from), last = to === undefined ? first : nameOf(to);
    return first === null || last === null || more !== undefined ? null : to === undefined ? first : `${first} to ${last}`;
  });
  return parts.includes(null) ? null : all(parts as string[]);
}

function lookUp(names: string[], base: number): (part: string) => string | null {
  return (part) => {
    if (/^\d{1,2}$/.test(part)) return names[(Number(part) - base) % (names.length === 7 ? 7 : 99)] ?? null;
    return part.length === 3 ? names.find((name) => name.slice(0, 3).toLowerCase() === part.toLowerCase()) ?? null : null;
  };
}

function hours(field: string): string | null {
  const range = /^(\d{1,2})-(\d{1,2})$/.exec(field);
  return range ? `from ${two(Number(range[1]))}:00 to ${two(Number(range[2]))}:59` : null;
}

function clock(second: string, minute: string, hour: string): string | null {
  const minutes = numbers(minute), at = numbers(hour), each = step(minute);
  if (second !== "0") {
    if (minute !== "*" || hour !== "*") return null;
    const seconds = step(second);
    return second === "*" ? "every second" : seconds ? `every ${seconds} seconds` : null;
  }
  if (minutes && at && minutes.length * at.length <= 4) return `at ${all(at.flatMap((h) => minutes.map((m) => `${two(h)}:${two(m)}`)))}`;
  const often = minute === "*" ? "every minute" : each === 1 ? "every minute" : each ? `every ${each} minutes` : null;
  if (often) return hour === "*" ? often : hours(hour) ? `${often} ${hours(hour)}` : null;
  if (!minutes) return null;
  const past = minutes.length === 1 && minutes[0] === 0 ? "" : minutes.length === 1 ? ` at ${minutes[0]} past` : ` at ${all(minutes.map(String))} past`;
  const n = step(hour);
  if (hour === "*" || n === 1) return `every hour${past}`;
  if (n) return `every ${n} hours${past}`;
  return hours(hour) ? `every hour${past} ${hours(hour)}` : null;
}

function date(day: string, month: string, weekday: string): string | null {
  const parts: string[] = [];
  if (day !== "*") {
    const list = numbers(day);
    if (!list) return null;
    parts.push(`on the ${all(list.map(ordinal))}`);
  }
  if (weekday !== "*") {
    const names = nameList(weekday, lookUp(days, 0));
    if (names === null) return null;
    parts.push(day === "*" ? `on ${names}` : `and on every ${names}`);
  }
  if (month !== "*") {
    const names = nameList(month, lookUp(months, 1));
    if (names === null) return null;
    parts.push(`in ${names}`);
  }
  return parts.join(" ");
}

/** "at 02:30 on Monday to Friday"; empty when it takes more than a sentence. */
export function cronWords(expression: string): string {
  const fields = (named[expression.trim()] ?? expression.trim()).split(/\s+/);
  if (fields.length === 5) fields.unshift("0");
  if (fields.length !== 6) return "";
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] = fields.map((field) => field === "?" ? "*" : field);
  const time = clock(second, minute, hour), when = date(day, month, weekday);
  if (time === null || when === null) return "";
  return when ? `${time} ${when}` : time.startsWith("at ") ? `every day ${time}` : time;
}

export function planWords(plan: { cron: string | null; every: number | null; at: string | null }, exactTime: (iso: string) => string): string {
  if (plan.cron) return cronWords(plan.cron);
  if (plan.every !== null) return `every ${span(plan.every * 1000).replace(/ (00 [sm]|0 h)$/, "")}`;
  return plan.at ? `once, at ${exactTime(plan.at)}` : "";
}
