// Pools and the nodes that share the store: how full, how alive, and how to let one go.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Pool, Problem, Worker } from "../api.ts";
import { Confirm, Dialog } from "../parts/dialog.tsx";
import { Card, Empty, Head, Link, Shown, Trouble } from "../parts/kit.tsx";
import { PoolLine } from "../parts/slots.tsx";
import { counted, figure, span } from "../rules/times.ts";
import { call, problemFrom } from "../state/client.ts";
import { useLoad, useTurns } from "../state/load.ts";
import { note } from "../state/says.ts";
import { allProjects, may } from "../state/session.ts";
import { linkTo } from "../rules/links.ts";
import { t } from "../state/words.ts";

const told = (event: { type: string }): boolean => event.type.startsWith("job.") ? event.type !== "job.progress" : event.type.startsWith("worker.") || event.type.startsWith("pool.");

function Capacity({ pool, onClose, reload }: { pool: Pool; onClose: () => void; reload: () => void }): JSX.Element {
  const [text, setText] = useState(String(pool.capacity)), [problem, setProblem] = useState<Problem | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    try { await call("patch_pool", { params: [pool.name], body: { capacity: Number(text) } }); note("Capacity set"); reload(); onClose(); } catch (fault) { setProblem(problemFrom(fault)); }
  };
  return (
    <Dialog title={`Capacity of ${pool.name}`} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="capacity" class="btn primary">{t("Set capacity")}</button></>}>
      <form id="capacity" onSubmit={(event) => void save(event)}><label class="field"><span>{t("Slots")}</span><input class="input" data-first inputMode="numeric" value={text} onInput={(event) => setText(event.currentTarget.value)} /><small>{t("With fewer than are used nothing is stopped; nothing starts until enough have ended.")}</small></label></form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}

/** Longer than a lease lasts as it is usually set: whoever is so silent is about to be called dead. */
const silence = 15_000;

function WorkerState({ worker }: { worker: Worker }): JSX.Element {
  if (worker.state === "up" && (worker.beat_age_ms ?? 0) > silence) return <span class="st del" title={t("Its beat has not been seen for longer than usual")}>{t("silent")}</span>;
  const look = worker.state === "up" || worker.state === "alive" || worker.state === "serving" ? "ok" : worker.state === "lost" || worker.state === "dead" ? "bad" : "wait";
  return <span class={`st ${look}`}>{worker.state}</span>;
}

function WorkerRow({ worker, reload }: { worker: Worker; reload: () => void }): JSX.Element {
  const [asking, setAsking] = useState<"drain_worker" | "stop_worker" | null>(null), steers = may("workers:write") && allProjects();
  return (
    <tr>
      <th scope="row"><b>{worker.name}</b>{worker.this && <span class="faint">{" "}{t("this server")}</span>}</th><td data-label={t("State")}><WorkerState worker={worker} /></td>
      <td data-label={t("Running")} class="num">{figure(worker.running)}</td><td data-label={t("Beat")} class="muted">{worker.beat_age_ms === undefined ? "" : worker.beat_age_ms < 1000 ? t("now") : `${span(worker.beat_age_ms)} ago`}</td>
      <td data-label={t("Slots")} class="muted wide">{worker.pools.filter((pool) => (pool.capacity ?? 0) > 0).map((pool) => `${pool.name} ${pool.used ?? 0}/${pool.capacity ?? "–"}`).join(", ")}</td>
      <td data-label={t("Host")} class="muted">{worker.host}{worker.pid !== null && <span class="faint"> · {worker.pid}</span>}</td><td data-label={t("Version")} class="muted">{worker.version}</td><td data-label={t("Id")} class="mono faint" title={worker.worker_id}>{worker.worker_id.slice(-6)}</td>
      <td class="num">{steers && <><button type="button" class="btn small" onClick={() => setAsking("drain_worker")}>{t("Drain")}</button> <button type="button" class="btn small outline-danger" onClick={() => setAsking("stop_worker")}>{t("Stop…")}</button></>}
        {asking === "drain_worker" && <Confirm title={`Drain ${worker.name}?`} act={t("Drain the worker")} onClose={() => setAsking(null)} run={() => call("drain_worker", { params: [worker.worker_id] }).then(() => { note(`${worker.name} drains`); reload(); })}>{t("It takes nothing more; what runs is handed over to the others.")}</Confirm>}
        {asking === "stop_worker" && <Confirm title={`Stop ${worker.name}?`} danger act={t("Stop the worker")} onClose={() => setAsking(null)} run={() => call("stop_worker", { params: [worker.worker_id] }).then(() => { note(`${worker.name} stops`); reload(); })}>{t("It drains and its process ends.")}{worker.this && " It is the server that this page talks to: the page is gone with it."}</Confirm>}
      </td>
    </tr>
  );
}

export function Pools(): JSX.Element {
  const pools = useLoad((stop) => call("list_pools", { signal: stop }), "pools", told), workers = useLoad((stop) => call("list_workers", { signal: stop }), "workers", told);
  useTurns(() => { pools.reload(); workers.reload(); }, 10);  // a node that comes or falls silent sends no event
  const [sizing, setSizing] = useState<Pool | null>(null);
  return (
    <>
      <Head title={t("Pools and workers")} sub={workers.data && pools.data && <>{counted(pools.data.pools.length, "pool")} on {counted(workers.data.workers.length, "worker")}</>} />
      <div class="stack">
        <Card title={t("Pools")}><Shown of={pools} rows={3}>{(data) => data.pools.map((pool) => <PoolLine key={pool.name} pool={pool}>{may("pools:write") && allProjects() && <button type="button" class="btn small" onClick={() => setSizing(pool)}>{t("Capacity…")}</button>}</PoolLine>)}</Shown></Card>
        <Card title={t("Workers")} aside={<small><Link to={linkTo("jobs", null, { status: "running" })}>{t("what runs now")}</Link></small>}><Shown of={workers} rows={3}>{(data) => data.workers.length === 0 ? <Empty icon="pools" title={t("No worker")} /> : <div class="scroll"><table class="cards"><caption class="unseen">{t("Workers")}</caption><thead><tr><th scope="col">{t("Worker")}</th><th scope="col">{t("State")}</th><th scope="col" class="num">{t("Running")}</th><th scope="col">{t("Last beat")}</th><th scope="col">{t("Slots used")}</th><th scope="col">{t("Host")}</th><th scope="col">{t("Version")}</th><th scope="col">{t("Id")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{[...data.workers].sort((a, b) => a.name.localeCompare(b.name)).map((worker) => <WorkerRow key={worker.worker_id} worker={worker} reload={workers.reload} />)}</tbody></table></div>}</Shown></Card>
      </div>
      {sizing && <Capacity pool={sizing} onClose={() => setSizing(null)} reload={pools.reload} />}
    </>
  );
}
