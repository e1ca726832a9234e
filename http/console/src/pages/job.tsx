// One job: how it came to where it is, what it said and gave, and what can be done with it.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Attempts, Job as JobView, Logs, Problem } from "../api.ts";
import { askDelete } from "../parts/delete_dialog.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Deliveries } from "../parts/deliveries.tsx";
import { Back, Bar, Card, Code, Copy, Empty, Link, Shown, Status, Time, Took, Trouble } from "../parts/kit.tsx";
import { termText } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import { indented, memberText } from "../rules/raw_json.ts";
import { clockTime, counted, exact, figure, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call, Fault, textOf } from "../state/client.ts";
import { bind } from "../state/keys.ts";
import { useLoad } from "../state/load.ts";
import { go, place, withQuery } from "../state/place.ts";
import { note } from "../state/says.ts";
import { allProjects, may } from "../state/session.ts";
import { NewJob, type Begun } from "./new_job.tsx";
import { nameOf, TraceResult } from "./trace.tsx";
import { workerName } from "../state/worker_names.ts";
import { t } from "../state/words.ts";

const rawOf = (job: JobView, name: string): string => indented(memberText(textOf(job), name) ?? "null");

/** All that a submit takes and a job tells, but its key: that is unique, and its deadline, which is that one's own. */
function copyOf(job: JobView): Begun {
  return {
    kind: job.kind, args: rawOf(job, "args"), queue: job.queue, tags: job.tags,
    more: { ...(allProjects() ? { project: job.project } : {}), priority: job.priority, max_attempts: job.max_attempts, timeout_s: job.timeout_s, ...(job.limit_key ? { limit_key: job.limit_key } : {}), ...(job.webhook ? { webhook: job.webhook } : {}), ...(job.protected ? { protected: true } : {}) },
  };
}

type Found = { job: JobView } | { gone: Problem };

async function read(id: string, stop: AbortSignal): Promise<Found> {
  try {
    return { job: await call("get_job", { params: [id], signal: stop }) as JobView };
  } catch (fault) {
    if (fault instanceof Fault && fault.status === 410) return { gone: fault.problem };
    throw fault;
  }
}

interface Moment { key: string; look: string; title: string; at: string | null; text?: JSX.Element | string | null }

const ended: Record<string, [string, string]> = {
  succeeded: ["is-ok", "Succeeded"], failed: ["is-bad", "Failed"], cancelled: ["", "Cancelled"], retry: ["is-bad", "Failed, will be tried again"], retried: ["is-bad", "Failed, tried again"], lost: ["is-bad", "Lost with its node"],
};

function moments(job: JobView, attempts: Attempts["attempts"]): Moment[] {
  const list: Moment[] = [{ key: "created", look: "", title: "Created", at: job.created_at, text: `in ${job.queue}, priority ${job.priority}` }];
  if (job.run_at && job.run_at !== job.created_at && job.attempt === 0) list.push({ key: "due", look: "", title: job.status === "scheduled" ? "Waits for its time" : "Was due", at: job.run_at });
  for (const one of attempts) {
    const [look, title] = ended[one.outcome] ?? [one.error ? "is-bad" : "", one.outcome.charAt(0).toUpperCase() + one.outcome.slice(1).replaceAll("_", " ")];
    if (!one.ended_at && job.status === "running") continue;
    list.push({ key: `start${one.attempt}`, look: "is-run", title: attempts.length > 1 || job.max_attempts > 1 ? `Attempt ${one.attempt} started` : "Started", at: one.started_at, text: one.worker_id ? <>{t("on worker")}{" "}<b>{workerName(one.worker_id)}</b></> : null });
    if (one.ended_at) list.push({ key: `end${one.attempt}`, look, title, at: one.ended_at, text: <>{one.started_at && <>{t("after")}{" "}{span(Date.parse(one.ended_at) - Date.parse(one.started_at))}</>}{one.error && <>: {one.error.detail ?? one.error.code}</>}</> });
  }
  if (job.status === "running") list.push({ key: "runs", look: "is-run", title: job.max_attempts > 1 ? `Attempt ${job.attempt} runs` : "Runs", at: job.started_at, text: <>for <Took from={job.started_at} />{job.worker_id && <>{" "}{t("on worker")}{" "}<b>{workerName(job.worker_id)}</b></>}{job.current_phase && <>: {job.current_phase}</>}</> });
  if (job.status === "scheduled" && job.attempt > 0) list.push({ key: "again", look: "", title: "Will be tried again", at: job.run_at });
  if (job.cancel_requested && job.status === "running") list.push({ key: "cancel", look: "is-bad", title: "Somebody asked to cancel it", at: null });
  const deletion = job.deletion;
  if (deletion) {
    list.push({ key: "marked", look: "is-del", title: "Marked for deletion", at: deletion.since ?? null, text: <>{deletion.who && <>by {nameOf(deletion.who)}</>}{deletion.reason && <>: “{deletion.reason}”</>}</> });
    list.push({ key: "waits", look: "is-del", title: (deletion.open_holders ?? 0) > 0 ? "Waits until its run is down" : "Is being erased", at: deletion.next_try ?? null, text: deletion.last_error ?? "Nothing new of it can start." });
  }
  return list;
}

function Timeline({ job, attempts }: { job: JobView; attempts: Attempts["attempts"] }): JSX.Element {
  return (
    <ol class="timeline">
      {moments(job, attempts).map((one) => <li key={one.key} class={one.look}><div class="row"><b>{t(one.title)}</b><Time at={one.at} /></div>{one.text && <p>{one.text}</p>}</li>)}
    </ol>
  );
}

/** What a running job gives before its end, as it comes; the newest is always in sight unless somebody scrolled up. */
function Partials({ job }: { job: JobView }): JSX.Element {
  const [parts, setParts] = useState(job.partial_results ?? []), [left, setLeft] = useState<"more" | "none" | "unread">("more"), box = useRef<HTMLDivElement>(null), live = job.status === "running" && choices.value.live;
  useEffect(() => setParts((old) => (job.partial_results?.length ?? 0) > old.length ? job.partial_results ?? [] : old), [job]);
  // The job itself brings only the first of them: the rest is read until nothing more comes, and then for as long as it runs.
  useEffect(() => {
    let over = false;
    const step = async (): Promise<void> => {
      while (!over) {
        const after = parts.at(-1)?.seq;
        const found = await call("job_partials", { params: [job.job_id], query: { after, limit: 1000 } }).catch(() => null);
        if (over) return;
        setLeft(found === null ? "unread" : found.partial_results.length > 0 ? "more" : "none");
        if (found && found.partial_results.length > 0) return setParts((old) => [...old, ...found.partial_results.filter((one) => one.seq > (old.at(-1)?.seq ?? -1))]);
        if (!live) return;
        await new Promise((next) => setTimeout(next, 700));
      }
    };
    void step();
    return () => { over = true; };
  }, [live, parts, job.job_id]);
  useEffect(() => { const at = box.current; if (at && at.scrollHeight - at.scrollTop - at.clientHeight < 80) at.scrollTop = at.scrollHeight; }, [parts]);
  if (parts.length === 0) return <Empty icon="jobs" title={t("Nothing came yet")}><p>{job.status === "running" ? "What the job gives before its end appears here as it comes." : "This job gave nothing before its end."}</p></Empty>;
  const words = parts.map((one) => one.data).map((data) => typeof data === "string" ? data : (data as { text?: unknown; delta?: unknown } | null)?.text ?? (data as { delta?: unknown } | null)?.delta);
  const isText = words.every((word) => typeof word === "string");
  return (
    <div class="body stack tight">
      <div class="stream" ref={box} tabIndex={0} aria-label={t("Partial results")}>{isText ? words.join("") : parts.map((one) => `${one.seq}  ${JSON.stringify(one.data)}\n`).join("")}</div>
      <p class="small faint">{counted(parts.length, "piece")}{live ? t(", more as they come") : left === "more" ? t(", more are being read") : left === "unread" ? t("; the rest could not be read") : ""}</p>
    </div>
  );
}

function LogLines({ job }: { job: JobView }): JSX.Element {
  const [lines, setLines] = useState<Logs["logs"]>([]), [asked, setAsked] = useState(false), box = useRef<HTMLDivElement>(null), live = job.status === "running" && choices.value.live;
  useEffect(() => {
    let over = false, after: number | undefined;
    void (async () => {
      while (!over) {
        const found = await call("job_logs", { params: [job.job_id], query: { after, limit: 1000 } }).catch(() => null);
        if (over) return;
        setAsked(true);
        if (found && found.logs.length > 0) { after = found.logs.at(-1)?.seq; setLines((old) => [...old, ...found.logs.filter((one) => one.seq > (old.at(-1)?.seq ?? -1))]); if (found.logs.length === 1000) continue; }
        if (!live) return;
        await new Promise((next) => setTimeout(next, 1000));
      }
    })();
    return () => { over = true; };
  }, [live, job.job_id]);
  useEffect(() => { const at = box.current; if (at && at.scrollHeight - at.scrollTop - at.clientHeight < 80) at.scrollTop = at.scrollHeight; }, [lines]);
  if (lines.length === 0) return asked ? <Empty icon="audit" title={t("It said nothing")}><p>{t("What a job logs while it runs stands here.")}</p></Empty> : <div class="body" />;
  return (
    <div class="body"><div class="log" ref={box} tabIndex={0} aria-label={t("Log")}>
      {lines.map((one) => <><time class="faint" dateTime={one.at} title={exact(one.at, choices.value.zone)}>{clockTime(one.at, choices.value.zone)}</time><span class={one.level}>{one.level}</span><span>{one.text}</span></>)}
    </div></div>
  );
}

function Outcome({ job }: { job: JobView }): JSX.Element {
  if (job.error) {
    const { code, detail, retryable: _, ...more } = job.error as Record<string, unknown>;
    return <div class="body stack"><div class="alert bad"><Icon name="warn" /><div><p><b>{String(detail ?? code)}</b></p><p class="small"><code>{String(code)}</code>{" "}{t("in attempt")}{" "}{job.attempt} of {job.max_attempts}</p></div></div>{Object.keys(more).length > 0 && <Code value={more} what={t("What is known of the error")} />}</div>;
  }
  if (job.result !== null && job.result !== undefined) return <div class="body"><Code value={typeof job.result === "string" ? job.result : rawOf(job, "result")} what={t("Result")} /></div>;
  return <Empty icon="jobs" title={job.status === "succeeded" ? "It gave no result" : "No result yet"}><p>{job.status === "running" ? "It is still running." : job.status === "succeeded" ? "The job succeeded and returned nothing." : "A result comes with the end of the job."}</p></Empty>;
}

const views = [["partials", "Partial results"], ["result", "Result"], ["args", "Arguments"], ["logs", "Log"], ["deliveries", "Webhooks"], ["json", "JSON"]] as const;

function usualView(job: JobView): string {
  if (job.status === "running" || job.status === "pending_delete") return (job.partial_results?.length ?? 0) > 0 ? "partials" : "args";
  return job.status === "succeeded" || job.status === "failed" ? "result" : "args";
}

const usageTitle = (name: string): string => (name.charAt(0).toUpperCase() + name.slice(1)).replace(/_usd$/, "").replaceAll("_", " ");

function Facts({ job }: { job: JobView }): JSX.Element {
  const usage = Object.entries(job.usage ?? {}).filter(([, value]) => typeof value === "number" || typeof value === "string");
  const rows: Array<[string, JSX.Element | string | null]> = [
    ["Kind", job.kind], ["Queue", <Link to={linkTo("jobs", null, { q: termText({ field: "queue", op: ":", value: job.queue }) })}>{job.queue}</Link>], ["Project", job.project], ["Attempt", `${job.attempt} of ${job.max_attempts}`],
    ["Time limit", span(job.timeout_s * 1000)], ["Deadline", job.deadline_at ? <Time at={job.deadline_at} plain /> : null], ["Unique key", job.unique_key], ["Limit key", job.limit_key],
    ["Webhook", job.webhook], ["Schedule", job.schedule_id], ["Trace", job.trace_id], ["Kept until", job.expires_at ? <Time at={job.expires_at} plain /> : null], ["Protected", job.protected ? "yes: a delete is refused" : null], ["Lost with a node", job.lost > 0 ? counted(job.lost, "time") : null],
    ...usage.map(([name, value]): [string, string] => [usageTitle(name), name.includes("usd") ? `$${Number(value).toFixed(4)}` : typeof value === "number" ? figure(value) : String(value)]),
  ];
  return (
    <div class="body stack"><dl class="facts">{rows.filter(([, value]) => value !== null && value !== "").map(([name, value]) => <><dt key={name}>{t(name)}</dt><dd>{value}</dd></>)}</dl>
      {job.tags.length > 0 && <div class="row wrap tight">{job.tags.map((tag) => <Link key={tag} to={linkTo("jobs", null, { q: termText({ field: "tag", op: ":", value: tag }) })} class="tag" title={tag}>{tag}</Link>)}</div>}</div>
  );
}

function Alive({ job, reload }: { job: JobView; reload: () => void }): JSX.Element {
  const [asking, setAsking] = useState<"cancel" | "retry" | null>(null), [copying, setCopying] = useState(false);
  const attempts = useLoad((stop) => call("job_attempts", { params: [job.job_id], signal: stop }), `attempts ${job.job_id} ${job.status} ${job.attempt}`);
  const wanted = place.value.query.get("view"), view = views.find(([key]) => key === wanted)?.[0] ?? usualView(job), canCancel = may("jobs:write") && ["running", "queued", "scheduled"].includes(job.status), canRetry = may("jobs:write") && ["failed", "cancelled", "scheduled"].includes(job.status);
  const erase = (): void => askDelete([job.job_id], () => reload());
  useEffect(() => bind([
    ...(may("jobs:delete") ? [{ keys: "Delete", title: "Delete…", group: "This job", run: erase }, { keys: "#", title: "Delete…", group: "This job", run: erase }] : []),
    { keys: "Escape", title: "Back to the list", group: "This job", run: () => history.length > 1 ? history.back() : go(linkTo("jobs")) },
  ]), [job.job_id]);
  return (
    <>
      <div class="job-head">
        <h1 tabIndex={-1}>{job.job_id}</h1><Copy text={job.job_id} what={t("Id")} /><Status status={job.status} /><span class="grow" />
        {may("jobs:write") && <button type="button" class="btn ghost" onClick={() => setCopying(true)}>{t("Submit a copy")}</button>}
        {canRetry && <button type="button" class="btn" onClick={() => setAsking("retry")}><Icon name="refresh" />{job.status === "scheduled" ? "Run now" : "Run again"}</button>}
        {canCancel && <button type="button" class="btn" onClick={() => setAsking("cancel")}>{t("Cancel")}</button>}
        {may("jobs:delete") && <button type="button" class="btn danger" onClick={erase}>{t("Delete…")}</button>}
      </div>
      <div class="job-sub"><span>{job.kind} in {job.queue}</span><span>{t("created")}{" "}<Time at={job.created_at} /></span>{job.started_at && <span>{job.finished_at ? "took" : "runs for"} <Took from={job.started_at} to={job.finished_at} /></span>}{typeof job.progress === "number" && job.status === "running" && <span class="row"><Bar part={job.progress} label={t("Progress")} />{Math.round(job.progress * 100)} %</span>}{job.current_phase && job.status === "running" && <span>{job.current_phase}</span>}</div>
      <div class="cols">
        <section class="card">
          <nav class="tabs" aria-label={t("Parts of the job")} style={{ margin: 0, padding: "0 8px" }}>{views.map(([key, title]) => <Link key={key} to={withQuery({ view: key })} aria-current={view === key ? "page" : undefined}>{t(title)}</Link>)}</nav>
          {view === "partials" && <Partials key={job.job_id} job={job} />}
          {view === "result" && <Outcome job={job} />}
          {view === "args" && <div class="body"><Code value={rawOf(job, "args")} what={t("Arguments")} /></div>}
          {view === "logs" && <LogLines key={job.job_id} job={job} />}
          {view === "deliveries" && <JobDeliveries job={job} />}
          {view === "json" && <div class="body"><Code value={indented(textOf(job))} what={t("Job")} /></div>}
        </section>
        <div class="stack">
          <Card title={t("What happened")}><Timeline job={job} attempts={attempts.data?.attempts ?? []} /></Card>
          <Card title={t("Facts")}><Facts job={job} /></Card>
        </div>
      </div>
      {asking === "cancel" && <Confirm title={t("Cancel this job?")} act={t("Cancel the job")} onClose={() => setAsking(null)} run={() => call("cancel_job", { params: [job.job_id] }).then(() => { note("Cancel asked for"); reload(); })}>{t("It is stopped and its record stays. To erase it as well, delete it.")}</Confirm>}
      {asking === "retry" && <Confirm title={t("Run this job again?")} act={job.status === "scheduled" ? "Run it now" : "Run it again"} onClose={() => setAsking(null)} run={() => call("retry_job", { params: [job.job_id] }).then(() => { note("Job queued"); reload(); })}>{t("It is queued with the same arguments.")}</Confirm>}
      {copying && <NewJob begun={copyOf(job)} onClose={() => setCopying(false)} />}
    </>
  );
}

function JobDeliveries({ job }: { job: JobView }): JSX.Element {
  const found = useLoad((stop) => call("job_deliveries", { params: [job.job_id], signal: stop }), `deliveries ${job.job_id} ${job.status}`);
  return <Shown of={found}>{(data) => data.deliveries.length === 0 ? <Empty icon="webhooks" title={t("Nobody is told")}><p>{t("Neither this job nor a registered endpoint asks to hear of it.")}</p></Empty> : <Deliveries list={data.deliveries} reload={found.reload} />}</Shown>;
}

export function Job({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => read(id, stop), `job ${id}`, (event) => event.job_id === id);
  useEffect(() => { document.title = `Job ${id.slice(0, 8)} · quell`; }, [id]);
  const back = <Back to="jobs" title={t("Jobs")} />;
  if (found.problem && !found.data) return <>{back}{found.problem.code === "job-not-found" ? <><h1 tabIndex={-1}>{t("No such job")}</h1><TraceResult id={id} found={null} /></> : <><h1 tabIndex={-1}>{t("Job")}</h1><Trouble problem={found.problem} again={found.reload} /></>}</>;
  return (
    <>
      {back}
      <Shown of={found}>{(data) => "gone" in data ? <><h1 tabIndex={-1}>{t("Job is deleted")}</h1><TraceResult id={id} found={data.gone} /></> : <Alive job={data.job} reload={found.reload} />}</Shown>
    </>
  );
}
