// What each fate of an id is called, and how it looks.
import type { Trace } from "../api.ts";

export const fates: Record<Trace["fate"], [string, string]> = {
  alive: ["it is here", "ok"], restored: ["deleted, and brought back", "ok"], leaving: ["being deleted", "del"], deleted: ["deleted", "del"], archived: ["deleted, a copy is kept", "del"],
  expired: ["its time was over", "wait"], purged: ["purged", "wait"], never_seen: ["never seen", "wait"], older_than_kept: ["older than what is remembered", "wait"],
};
