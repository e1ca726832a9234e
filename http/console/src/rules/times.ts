// Times and spans as people read them. Everything takes its "now", so that it can be tested.

export const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

/** "850 ms", "12 s", "4 m 12 s", "3 h 05 m", "2 d 4 h": two parts at most. */
export function span(ms: number): string {
  if (!Number.isFinite(ms)) return "";
  const whole = Math.max(0, Math.round(ms));
  if (whole < second) return `${whole} ms`;
  if (whole < 10 * second) return `${(whole / second).toFixed(1).replace(/\.0$/, "")} s`;
  if (whole < minute) return `${Math.floor(whole / second)} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < hour) return `${Math.floor(whole / minute)} m ${two(Math.floor((whole % minute) / second))} s`;
  if (whole < day) return `${Math.floor(whole / hour)} h ${two(Math.floor((whole % hour) / minute))} m`;
  return `${Math.floor(whole / day)} d ${Math.floor((whole % day) / hour)} h`;
}

/** "4 s ago", "in 3 m": one part, because it changes while one reads it. */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at);
  if (distance < second) return "now";
  const [size, unit] = distance < minute ? [second, "s"] : distance < hour ? [minute, "m"] : distance < day ? [hour, "h"] : [day, "d"];
  const n = Math.floor(distance / (size as number));
  return at <= now ? `${n} ${unit} ago` : `in ${n} ${unit}`;
}

export type Zone = "local" | "utc";

/** "2026-12-01 10:00:05" in the zone that the reader chose; a time that is none comes back as it was. */
export function exact(iso: string, zone: Zone): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  if (zone === "utc") return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** "14:03:22", for lists whose day is known. */
export function clockTime(iso: string, zone: Zone): string {
  return exact(iso, zone).slice(11, 19);
}

const units: Record<string, number> = { s: second, m: minute, h: hour, d: day, w: 7 * day };

/** "-2h", "-30m" or a time as in 2026-01-31T08:00:00Z, as milliseconds; nothing when it is neither. */
export function moment(text: string, now: number): number | null {
  const back = /^-(\d{1,6})([smhdw])$/.exec(text);
  if (back) return now - Number(back[1]) * (units[back[2] ?? ""] ?? 0);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const at = Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text);
  return Number.isNaN(at) ? null : at;
}

/** 8412 as "8,412"; figures are always written the same way. */
export function figure(n: number): string {
  return String(Math.trunc(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 job", "3 jobs", "2 queue entries". */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${figure(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const names = ["KiB", "MiB", "GiB", "TiB"];
  let value = n / 1024, at = 0;
  while (value >= 1024 && at < names.length - 1) { value /= 1024; at += 1; }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${names[at]}`;
}

/** "1st", "2nd", "3rd", "11th". */
export function ordinal(n: number): string {
  const tens = n % 100, last = tens >= 11 && tens <= 13 ? 0 : n % 10;
  return `${n}${last === 1 ? "st" : last === 2 ? "nd" : last === 3 ? "rd" : "th"}`;
}
