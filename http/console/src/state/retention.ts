// How long copies of deleted jobs are kept: read once a minute at most, for the dialogs that delete.
import { useEffect, useState } from "preact/hooks";
import type { RetentionRules } from "../api.ts";
import { copyDays } from "../rules/copies.ts";
import { counted, day, exact, figure } from "../rules/times.ts";
import { choices } from "./choices.ts";
import { serverNow } from "./clock.ts";
import { call } from "./client.ts";
import { offers } from "./session.ts";

export interface Kept { rules: RetentionRules; queues: Record<string, RetentionRules> }

let known: { at: number; reading: Promise<Kept> } | null = null;

function read(): Promise<Kept> {
  if (known && Date.now() - known.at < 60_000) return known.reading;
  known = { at: Date.now(), reading: call("get_retention") };
  known.reading.catch(() => { known = null; });
  return known.reading;
}

export function useKept(): Kept | null {
  const [kept, setKept] = useState<Kept | null>(null);
  useEffect(() => {
    let here = true;
    if (offers("get_retention")) read().then((found) => { if (here) setKept(found); }, () => undefined);
    return () => { here = false; };
  }, []);
  return kept;
}

/** Whether a copy is kept of what is deleted in these queues now, and the sentence that says until when. */
export function keptWords(kept: Kept | null, queues: string[], more: boolean): { kept: boolean; text: string } {
  if (!kept) return { kept: false, text: "This cannot be undone unless the server keeps copies." };
  const [least, most] = copyDays(kept.rules, kept.queues, queues, more);
  if (most === 0) return { kept: false, text: "No copy is kept. This cannot be undone." };
  if (least === most) return { kept: true, text: `A copy is kept until ${exact(new Date(serverNow() + most * day).toISOString(), choices.value.zone).slice(0, 16)}; until then it can be undone.` };
  return { kept: true, text: least === 0 ? `Of some a copy is kept, for up to ${counted(most, "day")}; of others none.` : `A copy is kept for ${figure(least)} to ${counted(most, "day")}, by queue; until then it can be undone.` };
}
