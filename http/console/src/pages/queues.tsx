// Queues: what waits, what runs, what is held back, and the five things one can do.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Queue, QueueLimits } from "../api.ts";
import { Confirm, Dialog } from "../parts/dialog.tsx";
import { Bar, Card, Empty, Head, Link, Menu, Shown, Trouble } from "../parts/kit.tsx";
import { termText } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import { counted, figure, span } from "../rules/times.ts";
import { call, problemFrom } from "../state/client.ts";
import type { Problem } from "../api.ts";
import { useLoad } from "../state/load.ts";
import { now } from "../state/now.ts";
import { note } from "../state/says.ts";
import { allProjects, may } from "../state/session.ts";
import { t } from "../state/words.ts";

type Act = "pause_queue" | "resume_queue" | "close_queue" | "open_queue" | "drain_queue";
const acts: Record<Act, { title: (name: string) => string; act: string; says: string; done: string }> = {
  pause_queue: { title: (name) => `Pause ${name}?`, act: "Pause the queue", says: "Nothing more of it starts; what runs goes on. New jobs are still taken.", done: "paused" },
  resume_queue: { title: (name) => `Resume ${name}?`, act: "Resume the queue", says: "Its jobs start again.", done: "resumed" },
  close_queue: { title: (name) => `Close ${name}?`, act: "Close the queue", says: "New jobs are refused; those that wait still run.", done: "closed" },
  open_queue: { title: (name) => `Open ${name}?`, act: "Open the queue", says: "New jobs are taken again.", done: "open" },
  drain_queue: { title: (name) => `Drain ${name}?`, act: "Drain the queue", says: "New jobs are refused, and what waits runs until the queue is empty.", done: "draining" },
};

function limitsText(limits: QueueLimits): string {
  const rate = (one: { count: number; per_s?: number } | undefined, what: string): string | null => one ? `${figure(one.count)} starts in ${one.per_s ?? 1} s${what}` : null;
  return [limits.concurrency && `${figure(limits.concurrency)} at once`, limits.per_key && `${figure(limits.per_key)} at once a key`, rate(limits.rate, ""), rate(limits.key_rate, " a key")].filter(Boolean).join(", ");
}

function Limits({ queue, onClose, reload }: { queue: Queue; onClose: () => void; reload: () => void }): JSX.Element {
  const [values, setValues] = useState({ concurrency: String(queue.limits.concurrency ?? ""), per_key: String(queue.limits.per_key ?? ""), count: String(queue.limits.rate?.count ?? ""), per_s: String(queue.limits.rate?.per_s ?? "") });
  const [problem, setProblem] = useState<Problem | null>(null);
  const set = (name: keyof typeof values) => (event: Event): void => setValues({ ...values, [name]: (event.currentTarget as HTMLInputElement).value });
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const limits: QueueLimits = {};
    if (values.concurrency) limits.concurrency = Number(values.concurrency);
    if (values.per_key) limits.per_key = Number(values.per_key);
    if (values.count) limits.rate = values.per_s ? { count: Number(values.count), per_s: Number(values.per_s) } : { count: Number(values.count) };
    if (queue.limits.key_rate) limits.key_rate = queue.limits.key_rate;
    try { await call("patch_queue", { params: [queue.name], body: { limits } }); note("Limits set"); reload(); onClose(); } catch (fault) { setProblem(problemFrom(fault)); }
  };
  return (
    <Dialog title={`Limits of ${queue.name}`} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="limits" class="btn primary">{t("Set limits")}</button></>}>
      <p class="muted">{t("They hold over all nodes. An empty field sets no limit.")}</p>
      <form id="limits" class="stack" onSubmit={(event) => void save(event)}>
        <label class="field"><span>{t("Jobs at once")}</span><input class="input" data-first inputMode="numeric" value={values.concurrency} onInput={set("concurrency")} /></label>
        <label class="field"><span>{t("Jobs at once of one key")}</span><input class="input" inputMode="numeric" value={values.per_key} onInput={set("per_key")} /></label>
        <div class="row"><label class="field grow"><span>{t("Starts")}</span><input class="input" inputMode="numeric" value={values.count} onInput={set("count")} /></label><label class="field grow"><span>{t("in seconds")}</span><input class="input" inputMode="numeric" value={values.per_s} onInput={set("per_s")} /></label></div>
      </form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}

function Row({ queue, most, reload }: { queue: Queue; most: number; reload: () => void }): JSX.Element {
  const [asking, setAsking] = useState<Act | "limits" | null>(null), steers = may("queues:write") && allProjects();
  const offered: Act[] = [queue.paused ? "resume_queue" : "pause_queue", queue.closed ? "open_queue" : "close_queue", ...(queue.closed ? [] : ["drain_queue" as const])];
  const to = (status: string): string => linkTo("jobs", null, { q: termText({ field: "queue", op: ":", value: queue.name }), status });
  return (
    <tr>
      <th scope="row"><Link to={to("")}><b class="cut">{queue.name}</b></Link></th>
      <td data-label={t("Pool")} class="muted">{queue.pool}</td>
      <td data-label={t("State")}>{queue.paused ? <span class="st del">{t("paused")}</span> : queue.closed ? <span class="st wait">{t("closed")}</span> : <span class="st ok">{t("open")}</span>}{queue.paused && queue.closed && <> <span class="st wait">{t("closed")}</span></>}</td>
      <td data-label={t("Waiting")}><span class="row nowrap"><Bar part={most === 0 ? 0 : queue.queued / most} label={`Waiting in ${queue.name}`} /><Link to={to("queued")}>{figure(queue.queued)}</Link></span></td>
      <td data-label={t("Oldest")} class="num muted">{queue.oldest_queued_at && <span title={t("The oldest job that waits")}>{span(now.value - Date.parse(queue.oldest_queued_at))}</span>}</td>
      <td data-label={t("Running")} class="num"><Link to={to("running")}>{figure(queue.running)}</Link></td><td data-label={t("Scheduled")} class="num"><Link to={to("scheduled")}>{figure(queue.scheduled)}</Link></td>
      <td data-label={t("Limits")} class="wide muted">{limitsText(queue.limits)}</td>
      <td class="num">{steers && <Menu label={t("Steer")} kind="small" right>{(close) => <>{offered.map((act) => <button key={act} type="button" onClick={() => { close(); setAsking(act); }}>{acts[act].act}</button>)}<button type="button" onClick={() => { close(); setAsking("limits"); }}>{t("Limits…")}</button></>}</Menu>}
        {asking === "limits" && <Limits queue={queue} reload={reload} onClose={() => setAsking(null)} />}
        {asking && asking !== "limits" && <Confirm title={acts[asking].title(queue.name)} act={acts[asking].act} onClose={() => setAsking(null)} run={() => call(asking, { params: [queue.name] }).then(() => { note(`${queue.name} is ${acts[asking].done}`); reload(); })}>{acts[asking].says}</Confirm>}
      </td>
    </tr>
  );
}

export function Queues(): JSX.Element {
  const found = useLoad((stop) => call("list_queues", { signal: stop }), "queues", (event) => event.type.startsWith("job.") && event.type !== "job.progress");
  return (
    <>
      <Head title={t("Queues")} sub={found.data && <>{counted(found.data.queues.length, "queue")}, {counted(found.data.queues.reduce((sum, one) => sum + one.queued, 0), "job")}{" "}{t("waiting")}</>} />
      <Card><Shown of={found}>{(data) => {
        const most = Math.max(1, ...data.queues.map((queue) => queue.queued));
        return data.queues.length === 0 ? <Empty icon="queues" title={t("No queue yet")}><p>{t("The first job makes the queue that it names.")}</p></Empty>
          : <table class="cards"><caption class="unseen">{t("Queues")}</caption><thead><tr><th scope="col">{t("Queue")}</th><th scope="col">{t("Pool")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Waiting")}</th><th scope="col" class="num">{t("Oldest waits")}</th><th scope="col" class="num">{t("Running")}</th><th scope="col" class="num">{t("Scheduled")}</th><th scope="col">{t("Limits")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{data.queues.map((queue) => <Row key={queue.name} queue={queue} most={most} reload={found.reload} />)}</tbody></table>;
      }}</Shown></Card>
    </>
  );
}
