// Deletes that are on their way. They go on in the server, whatever this page does: a chip in the top bar follows each until it
// is over, also after the page was loaded again.
import { signal } from "@preact/signals";
import type { BulkDeleted, DeleteCall, JobStatus, Problem, Receipt } from "../api.ts";
import { afterCall, afterEvents, afterReply, begin, isOver, type Stage } from "../rules/deletion.ts";
import { textsOf } from "../rules/kept.ts";
import { call, Fault } from "./client.ts";
import { watch } from "./live.ts";

export interface Going { deleteId: string | null; stages: Map<string, Stage>; receipt: Receipt | null; message: string; over: boolean; fault: unknown; began: number; took: number | null }

export const followed = signal<Going[]>([]);
/** A delete whose dialog was closed before the server answered, and whose answer never came. */
export const unconfirmed = signal<{ jobs: string[]; problem: Problem } | null>(null);
const key = "quell.deletes";

function keep(): void {
  const ids = followed.value.filter((one) => !one.over && one.deleteId).map((one) => one.deleteId);
  try { sessionStorage.setItem(key, JSON.stringify(ids)); } catch { /* Then a reload forgets the chip; the Deletions page has it. */ }
}

function put(old: Going, next: Going): Going {
  followed.value = followed.value.includes(old) ? followed.value.map((one) => one === old ? next : one) : [...followed.value, next];
  keep();
  return next;
}

export interface Order { jobs: string[]; was: Map<string, JobStatus>; reason: string; archive: boolean | null; once: (body: unknown) => string }

/** Sends the delete and follows it to its end. `see` is called at each change. */
export async function erase(order: Order, see: (going: Going) => void): Promise<Going> {
  let going: Going = { deleteId: null, stages: begin(order.jobs, order.was), receipt: null, message: "", over: false, fault: null, began: Date.now(), took: null };
  const move = (next: Going): void => { going = put(going, next); see(going); };
  move(going);
  const forget = watch((events) => {
    const stages = afterEvents(going.stages, events);
    if (stages !== going.stages) move({ ...going, stages });
  });
  try {
    const body: Record<string, unknown> = { job_ids: order.jobs, confirm: true, wait: 1 };
    if (order.reason) body["reason"] = order.reason;
    if (order.archive !== null) body["archive"] = order.archive;
    const reply: BulkDeleted = await call("bulk_delete", { body, once: order.once(body) });
    move({ ...going, deleteId: reply.delete_id, message: reply.message, stages: afterReply(going.stages, reply), receipt: reply.receipt });
    await follow(() => going, move);
  } catch (fault) {
    move({ ...going, fault, over: true });
  } finally {
    forget();
  }
  return going;
}

async function follow(now: () => Going, move: (next: Going) => void): Promise<void> {
  for (let wait = 250; ; wait = Math.min(wait * 1.5, 2000)) {
    const going = now();
    // The jobs of a joined delete end under that one's id; its own call knows how.
    if (isOver(going.stages) && (going.receipt || ![...going.stages.values()].some((stage) => stage.fate === "deleted"))) break;
    await new Promise((go) => setTimeout(go, wait));
    if (!now().deleteId) break;
    try {
      const found: DeleteCall = await call("get_deletion", { params: [now().deleteId ?? ""] });
      const stages = afterCall(now().stages, found);
      move({ ...now(), stages, receipt: found.receipt ?? now().receipt });
      if (found.state === "DELETED" && isOver(stages)) break;
    } catch { /* It goes on in the server; the next look may see it. */ }
  }
  move({ ...now(), over: true, took: Date.now() - now().began });
}

const isKnownGone = (fault: unknown): boolean => fault instanceof Fault && [403, 404, 410].includes(fault.status);

/** Until the server says how it is, or that there is no such delete for us: a server that is away has forgotten nothing. */
async function firstLook(deleteId: string): Promise<DeleteCall> {
  for (let wait = 500; ; wait = Math.min(wait * 2, 8000)) {
    try { return await call("get_deletion", { params: [deleteId] }); } catch (fault) { if (isKnownGone(fault)) throw fault; }
    await new Promise((go) => setTimeout(go, wait));
  }
}

/** After a reload: those that were on their way when the page went. */
export function resumeDeletes(): void {
  let ids: string[] = [];
  try { ids = textsOf(sessionStorage.getItem(key)); } catch { /* none */ }
  for (const deleteId of ids) {
    let going: Going = { deleteId, stages: new Map(), receipt: null, message: "", over: false, fault: null, began: Date.now(), took: null };
    const move = (next: Going): void => { going = put(going, next); };
    move(going);
    void (async () => {
      try {
        const found = await firstLook(deleteId);
        move({ ...going, stages: afterCall(going.stages, found), receipt: found.receipt });
        await follow(() => going, move);
      } catch {
        dismiss(going);
      }
    })();
  }
}

export function dismiss(going: Going): void {
  followed.value = followed.value.filter((one) => one !== going);
  keep();
}
