// The address of each page. The whole state of a page is in its URL; a link can be sent to somebody.

export interface Place { page: string; id: string | null; query: URLSearchParams }

export const pages = ["overview", "jobs", "queues", "pools", "schedules", "deletions", "operations", "archive", "trace", "webhooks", "alerts", "audit", "backups", "snapshots", "settings"] as const;
export type PageName = (typeof pages)[number];

/** `prefix`: what a proxy puts before our paths, without a slash at its end. */
export function placeOf(path: string, search: string, prefix: string): Place {
  const own = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  const parts = own.split("/").filter((part) => part !== "");
  const page = parts[0] ?? "overview";
  const query = new URLSearchParams(search);
  const isKnown = (pages as readonly string[]).includes(page) && parts.length <= 2;
  let id: string | null = null;
  try {
    id = parts[1] === undefined ? null : decodeURIComponent(parts[1]);
  } catch {
    return { page: "none", id: null, query };
  }
  return { page: isKnown ? page : "none", id, query };
}

export function linkTo(page: string, id: string | null = null, query: Record<string, string | null | undefined> = {}): string {
  const path = page === "overview" ? "/" : `/${page}${id === null ? "" : `/${encodeURIComponent(id)}`}`;
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) asked.set(name, value);
  const text = asked.toString();
  return text ? `${path}?${text}` : path;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isId = (text: string): boolean => uuid.test(text.trim());
