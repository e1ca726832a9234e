// How far a delete is, from what the server said of it: one stage a job, and totals of the five steps.
import type { BulkDeleted, DeleteCall, DeleteOutcome, JobStatus } from "../api.ts";

export interface Stage {
  job: string; was: JobStatus | null; fate: "going" | "deleted" | "already_gone" | "not_found" | "failed" | "would_delete";
  mark: boolean; stop: boolean; release: boolean; erase: boolean;
  verdict: string | null; problem: string | null; nextTry: string | null; deletedAt: string | null; copyUntil: string | null;
}

export type StepName = "mark" | "stop" | "release" | "erase" | "receipt";
export interface Step { name: StepName; title: string; done: number; of: number; state: "done" | "now" | "ahead" | "none" }

const blank = (job: string): Stage => ({
  job, was: null, fate: "going", mark: false, stop: false, release: false, erase: false,
  verdict: null, problem: null, nextTry: null, deletedAt: null, copyUntil: null,
});

export function begin(jobs: readonly string[], was: ReadonlyMap<string, JobStatus>): Map<string, Stage> {
  return new Map(jobs.map((job) => [job, { ...blank(job), was: was.get(job) ?? null }]));
}

function afterOutcome(old: Stage, outcome: DeleteOutcome): Stage {
  const stage: Stage = {
    ...old, was: outcome.was ?? old.was, verdict: outcome.verdict ?? old.verdict,
    problem: outcome.problem ? outcome.problem.detail ?? outcome.problem.title : null,
    deletedAt: outcome.deleted_at ?? old.deletedAt, copyUntil: outcome.copy_kept_until ?? old.copyUntil,
  };
  if (outcome.outcome === "pending") {
    const steps = outcome.steps;
    return { ...stage, fate: "going", mark: steps?.mark ?? true, stop: steps?.stop ?? false, release: steps?.release ?? false, erase: steps?.erase ?? false };
  }
  stage.fate = outcome.outcome;
  if (outcome.outcome === "deleted") stage.mark = stage.stop = stage.release = stage.erase = true;
  return stage;
}

export function afterReply(stages: ReadonlyMap<string, Stage>, reply: Pick<BulkDeleted, "outcomes">): Map<string, Stage> {
  const next = new Map(stages);
  for (const outcome of reply.outcomes) next.set(outcome.job_id, afterOutcome(next.get(outcome.job_id) ?? blank(outcome.job_id), outcome));
  return next;
}

/** What `GET /deletions/{id}` knows: which jobs wait for what, and which are gone. */
export function afterCall(stages: ReadonlyMap<string, Stage>, call: DeleteCall): Map<string, Stage> {
  const next = new Map(stages);
  for (const ticket of call.pending ?? []) {
    const old = next.get(ticket.job_id) ?? blank(ticket.job_id);
    const stopped = ticket.open_holders === 0;
    next.set(ticket.job_id, {
      ...old, fate: "going", was: ticket.was, mark: true, stop: stopped, release: stopped, erase: false,
      problem: ticket.last_error, nextTry: ticket.next_try,
    });
  }
  for (const gone of call.outcomes ?? []) {
    const old = next.get(gone.job_id) ?? blank(gone.job_id);
    next.set(gone.job_id, {
      ...old, fate: "deleted", was: gone.was, verdict: gone.verdict, mark: true, stop: true, release: true, erase: true,
      problem: null, nextTry: null, deletedAt: gone.deleted_at, copyUntil: gone.copy_kept_until,
    });
  }
  return next;
}

export function afterEvents(stages: Map<string, Stage>, events: ReadonlyArray<{ type: string; job_id?: string }>): Map<string, Stage> {
  let next = stages;
  for (const event of events) {
    const old = event.job_id ? next.get(event.job_id) : undefined;
    if (!old || old.fate !== "going") continue;
    if (next === stages) next = new Map(stages);
    if (event.type === "job.delete_requested") next.set(old.job, { ...old, mark: true });
    if (event.type === "job.deleted") next.set(old.job, { ...old, fate: "deleted", mark: true, stop: true, release: true, erase: true });
  }
  return next;
}

/** The five steps with their totals. Only what ran has to be stopped and holds a slot. */
export function steps(stages: ReadonlyMap<string, Stage>, hasReceipt: boolean): Step[] {
  const all = [...stages.values()].filter((stage) => stage.fate === "going" || stage.fate === "deleted");
  const ran = all.filter((stage) => stage.was === "running" || stage.fate === "going" && stage.mark && !stage.stop);
  const row = (name: StepName, title: string, of: Stage[], is: (stage: Stage) => boolean): Step =>
    ({ name, title, done: of.filter(is).length, of: of.length, state: "ahead" });
  const found = [
    row("mark", "Marked", all, (stage) => stage.mark), row("stop", "Stopped", ran, (stage) => stage.stop),
    row("release", "Slot back", ran, (stage) => stage.release), row("erase", "Erased", all, (stage) => stage.erase),
  ];
  found.push({ name: "receipt", title: "Receipt", done: hasReceipt ? 1 : 0, of: all.length === 0 ? 0 : 1, state: "ahead" });
  let reached = true;
  for (const step of found) {
    if (step.of === 0) step.state = reached ? "none" : "ahead";
    else if (step.done === step.of) step.state = "done";
    else { step.state = reached ? "now" : "ahead"; reached = false; }
  }
  return found;
}

export function isOver(stages: ReadonlyMap<string, Stage>): boolean {
  return [...stages.values()].every((stage) => stage.fate !== "going");
}

export const verdictWords: Record<string, string> = {
  not_running: "was not running", not_started: "never started", finished_first: "had finished first", stopped: "run stopped",
  reaped: "program reaped", process_died: "its process had died", lease_expired: "not proven: its node's lease ended", not_confirmed: "not proven: forced", stuck: "still held",
};

const proven = new Set(["not_running", "not_started", "finished_first", "stopped", "reaped", "process_died"]);
export const isProven = (verdict: string): boolean => proven.has(verdict);

/** "2 × run stopped, 1 × was not running" */
export function proofText(stages: ReadonlyMap<string, Stage>): string {
  const counts = new Map<string, number>();
  for (const stage of stages.values()) if (stage.verdict) counts.set(stage.verdict, (counts.get(stage.verdict) ?? 0) + 1);
  return [...counts].map(([verdict, n]) => `${n} × ${verdictWords[verdict] ?? verdict}`).join(", ");
}
