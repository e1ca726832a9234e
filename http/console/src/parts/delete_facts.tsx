// What the dialog says before anything is deleted: read from the server when it opens, never from the list behind it.
import type { JSX } from "preact";
import type { DeleteOutcome, Delivery, JobStatus, PickedJob, Problem } from "../api.ts";
import { counted, figure } from "../rules/times.ts";
import { serverNow } from "../state/clock.ts";
import { call, Fault } from "../state/client.ts";
import { shortId, statusTitle, Took } from "./kit.tsx";
import { workerName } from "../state/worker_names.ts";
import { t } from "../state/words.ts";

export interface Facts {
  was: Map<string, JobStatus>; counts: Map<JobStatus, number>; running: PickedJob[]; gone: DeleteOutcome[]; there: string[];
  job: PickedJob | null; waiting: number; flying: number; tombstone: Problem | null; protectedJobs: number; at: string;
}

const shown = 5;

async function readOne(id: string, signal: AbortSignal, facts: Facts): Promise<void> {
  try {
    const job = await call("get_job", { params: [id], query: { fields: "job_id,kind,queue,status,worker_id,started_at,attempt,max_attempts,usage,protected,tags,current_phase,progress,webhook,deletion" }, signal });
    facts.job = { ...job, job_id: id };
    facts.there.push(id);
    if (job.status) { facts.was.set(id, job.status); facts.counts.set(job.status, 1); }
    if (job.status === "running") facts.running.push(facts.job);
    if (job.protected) facts.protectedJobs = 1;
    const found = await call("job_deliveries", { params: [id], signal });
    const open = found.deliveries.filter((one: Delivery) => one.next_try !== null || one.in_flight);
    facts.flying = open.filter((one) => one.in_flight).length;
    facts.waiting = open.length - facts.flying;
  } catch (fault) {
    if (fault instanceof Fault && fault.status === 410) facts.tombstone = fault.problem;
    else throw fault;
  }
}

async function readMany(ids: string[], signal: AbortSignal, facts: Facts): Promise<void> {
  const reply = await call("bulk_delete", { body: { job_ids: ids, validate_only: true, confirm: true }, signal });
  for (const outcome of reply.outcomes) {
    if (outcome.outcome === "already_gone" || outcome.outcome === "not_found") { facts.gone.push(outcome); continue; }
    if (outcome.outcome === "failed" && outcome.problem?.code === "protected") facts.protectedJobs += 1;
    facts.there.push(outcome.job_id);
    if (!outcome.was) continue;
    facts.was.set(outcome.job_id, outcome.was);
    facts.counts.set(outcome.was, (facts.counts.get(outcome.was) ?? 0) + 1);
  }
  const running = facts.there.filter((id) => facts.was.get(id) === "running").slice(0, shown);
  const found = await Promise.allSettled(running.map((id) => call("get_job", { params: [id], query: { fields: "job_id,kind,worker_id,started_at,usage,status" }, signal })));
  facts.running = found.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
}

export async function readFacts(ids: string[], signal: AbortSignal): Promise<Facts> {
  const facts: Facts = {
    was: new Map(), counts: new Map(), running: [], gone: [], there: [], job: null, waiting: 0, flying: 0, tombstone: null,
    protectedJobs: 0, at: new Date(serverNow()).toISOString(),
  };
  const [only] = ids;
  if (ids.length === 1 && only) await readOne(only, signal, facts); else await readMany(ids, signal, facts);
  return facts;
}

function spent(job: PickedJob): string {
  const usage = job.usage as { cost_usd?: number; total_tokens?: number } | null | undefined;
  if (typeof usage?.cost_usd === "number") return `, $${usage.cost_usd.toFixed(usage.cost_usd < 1 ? 4 : 2)} so far`;
  if (typeof usage?.total_tokens === "number") return `, ${figure(usage.total_tokens)} tokens so far`;
  return "";
}

function Runs({ facts }: { facts: Facts }): JSX.Element | null {
  const n = facts.counts.get("running") ?? 0;
  if (n === 0) return null;
  return (
    <>
      <dt>{t("Running")}</dt>
      <dd>
        {facts.running.map((job) => (
          <div key={job.job_id}><span class="id">{shortId(job.job_id ?? "")}</span> {job.kind}, <Took from={job.started_at} to={facts.at} />{job.worker_id && <> on <b>{workerName(job.worker_id)}</b></>}{spent(job)}</div>
        ))}
        {n > facts.running.length && <div class="muted">+ {figure(n - facts.running.length)}{" "}{t("more")}</div>}
      </dd>
    </>
  );
}

const will: Array<[JobStatus, (n: number) => string]> = [
  ["queued", (n) => `${counted(n, "job")} never ${n === 1 ? "starts" : "start"}`], ["scheduled", (n) => `${counted(n, "job")} never ${n === 1 ? "starts" : "start"}`],
  ["succeeded", (n) => `${counted(n, "record")} with ${n === 1 ? "its result" : "their results"}`], ["failed", (n) => `${counted(n, "record")} with ${n === 1 ? "its error" : "their errors"}`],
  ["cancelled", (n) => counted(n, "record")], ["pending_delete", (n) => `${counted(n, "job")}, joined with the delete under way`], ["delete_failed", (n) => `${counted(n, "job")}, tried again`],
];

const title = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function FactsList({ facts }: { facts: Facts }): JSX.Element {
  return (
    <dl class="facts boxed">
      {facts.job && <><dt>{t("Job")}</dt><dd>{facts.job.kind} in {facts.job.queue}{facts.job.tags?.length ? <> · {facts.job.tags.slice(0, 4).join(", ")}</> : null}</dd></>}
      <Runs facts={facts} />
      {will.map(([status, says]) => {
        const n = facts.counts.get(status) ?? 0;
        return n === 0 ? null : <><dt>{title(statusTitle(status))}</dt><dd>{says(n)}</dd></>;
      })}
      {facts.waiting > 0 && <><dt>{t("Webhooks")}</dt><dd>{counted(facts.waiting, "waiting delivery", "waiting deliveries")}{" "}{t("dropped")}</dd></>}
      {facts.flying > 0 && <><dt>{t("In flight")}</dt><dd>{counted(facts.flying, "delivery", "deliveries")}{" "}{t("closed; the receiver may have had")}{" "}{facts.flying === 1 ? "it" : "them"}</dd></>}
      {facts.gone.length > 0 && <><dt>{t("Gone already")}</dt><dd>{counted(facts.gone.length, "job")}</dd></>}
      {facts.protectedJobs > 0 && <><dt>{t("Protected")}</dt><dd class="warn-text">{counted(facts.protectedJobs, "job")}{" "}{t("will be refused")}</dd></>}
    </dl>
  );
}

/** One sentence: what happens to what runs. */
export function happens(facts: Facts): string {
  const n = facts.counts.get("running") ?? 0;
  if (facts.protectedJobs > 0 && facts.protectedJobs === facts.there.length) return facts.there.length === 1 ? "It is protected: the delete will be refused." : "All of them are protected: the delete will be refused.";
  if (facts.there.length === 1 && (facts.job?.deletion?.open_holders ?? 0) > 0) return "A delete is under way; its run is not down yet. This one joins it.";
  if (facts.counts.has("pending_delete") && n === 0) return "A delete of some is under way. Records and everything kept of them are erased as soon as their runs are down.";
  if (facts.there.length === 1 && n === 1) return "Its run is stopped, its requests are closed and its slot goes back to the pool.";
  if (n === 1) return "One is running: its run is stopped, its requests are closed, its slot goes back.";
  if (n > 1) return `${figure(n)} are running: their runs are stopped, their requests closed, their slots given back.`;
  return facts.there.length === 1 ? "It is not running. Its record and everything kept of it are erased." : "None of them is running. Their records and everything kept of them are erased.";
}
