// What an event does to the rows that are shown. Rows change in place; none is added, and none moves.
import type { JobStatus, PickedJob } from "../api.ts";

export interface LiveEvent { id: string; type: string; time: string; job_id?: string; queue?: string; data?: Record<string, unknown> }

export type Row = PickedJob & { job_id: string; gone?: boolean };

const becomes: Record<string, JobStatus> = {
  "job.started": "running", "job.succeeded": "succeeded", "job.failed": "failed", "job.cancelled": "cancelled",
  "job.retrying": "scheduled", "job.delete_requested": "pending_delete",
};

const ends = new Set(["job.succeeded", "job.failed", "job.cancelled"]);

function changed(row: Row, event: LiveEvent): Row {
  // A job that was deleted and is created is one that was brought back.
  if (row.gone) return event.type === "job.created" ? { ...row, gone: false } : row;
  if (event.type === "job.deleted") return { ...row, gone: true };
  // A job that is being deleted goes nowhere else; an old event of it tells nothing new.
  if (row.status === "pending_delete" || row.status === "delete_failed") return row;
  if (event.type === "job.progress") {
    const progress = event.data?.["progress"];
    return typeof progress === "number" ? { ...row, progress } : row;
  }
  if (event.type === "job.phase") {
    const phase = event.data?.["phase"] ?? event.data?.["current_phase"];
    return typeof phase === "string" ? { ...row, current_phase: phase } : row;
  }
  const status = becomes[event.type];
  if (!status || status === row.status) return row;
  const next: Row = { ...row, status };
  if (event.type === "job.started") { next.started_at = event.time; next.finished_at = null; }
  if (ends.has(event.type)) next.finished_at = event.time;
  return next;
}

/** The same array when nothing changed, so that nothing is drawn again. */
export function apply(rows: Row[], events: readonly LiveEvent[]): Row[] {
  const byJob = new Map<string, LiveEvent[]>();
  for (const event of events) {
    if (!event.job_id) continue;
    const list = byJob.get(event.job_id);
    if (list) list.push(event); else byJob.set(event.job_id, [event]);
  }
  let differs = false;
  const next = rows.map((row) => {
    const list = byJob.get(row.job_id);
    if (!list) return row;
    const after = list.reduce(changed, row);
    differs = differs || after !== row;
    return after;
  });
  return differs ? next : rows;
}

/** Of which jobs an event cannot say all: a job that comes back has another status than it had. */
export function toRead(rows: readonly Row[], events: readonly LiveEvent[]): string[] {
  const gone = new Set(rows.filter((row) => row.gone).map((row) => row.job_id));
  return [...new Set(events.flatMap((event) => event.type === "job.created" && event.job_id && gone.has(event.job_id) ? [event.job_id] : []))];
}

/** How many of the created jobs would be new in a list of these rows. */
export function fresh(rows: readonly Row[], events: readonly LiveEvent[], queue: string | null): number {
  const shown = new Set(rows.map((row) => row.job_id));
  const created = new Set<string>();
  for (const event of events) {
    if (event.type !== "job.created" || !event.job_id || shown.has(event.job_id)) continue;
    if (queue !== null && event.queue !== queue) continue;
    created.add(event.job_id);
  }
  for (const event of events) if (event.type === "job.deleted" && event.job_id) created.delete(event.job_id);
  return created.size;
}

/** Reads a stream of server-sent events piece by piece; what is not whole yet waits. */
export class EventReader {
  private rest = "";
  push(piece: string): LiveEvent[] {
    this.rest += piece;
    const found: LiveEvent[] = [];
    for (let end = this.rest.indexOf("\n\n"); end >= 0; end = this.rest.indexOf("\n\n")) {
      const block = this.rest.slice(0, end);
      this.rest = this.rest.slice(end + 2);
      const event = this.read(block);
      if (event) found.push(event);
    }
    return found;
  }
  private read(block: string): LiveEvent | null {
    let id = "", type = "", data = "";
    for (const line of block.split("\n")) {
      if (line.startsWith("id: ")) id = line.slice(4);
      else if (line.startsWith("event: ")) type = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (!type) return null;
    try {
      const body = JSON.parse(data || "{}") as Partial<LiveEvent>;
      return { time: "", ...body, id, type };
    } catch {
      return null;
    }
  }
}
