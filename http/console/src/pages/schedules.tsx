// Schedules: when each fires in words, how its last job ended, its next ten times; paused, run now, changed, deleted.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PickedJob, Problem, Schedule } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Card, Code, Empty, Head, Link, shortId, Shown, Status, Time, Took, Trouble } from "../parts/kit.tsx";
import { ScheduleForm } from "../parts/schedule_form.tsx";
import { planWords } from "../rules/cron_words.ts";
import { linkTo } from "../rules/links.ts";
import { counted, exact, figure } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call, problemFrom } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { go, place, withQuery } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may } from "../state/session.ts";

const fired = (event: { type: string }): boolean => event.type === "job.created" || event.type === "task.deleted";
const ended = new Set(["job.started", "job.succeeded", "job.failed", "job.cancelled", "job.deleted"]);
const words = (one: Schedule): string => planWords(one, (iso) => exact(iso, choices.value.zone));
const isLeaving = (one: Schedule): boolean => one.status === "PENDING_DELETE" || one.status === "DELETE_FAILED";

function State({ one }: { one: Schedule }): JSX.Element {
  if (one.status === "PENDING_DELETE") return <Status status="pending_delete" />;
  if (one.status === "DELETE_FAILED") return <Status status="delete_failed" />;
  return one.status === "DISABLED" ? <span class="st wait"><Icon name="pause" />paused</span> : one.next_fire === null && one.waiting_fire === null ? <span class="st wait">over</span> : <span class="st ok"><Icon name="check" />active</span>;
}

function Plan({ one }: { one: Schedule }): JSX.Element {
  const text = words(one);
  return <>{text && <span>{text}</span>}{one.cron && <code class={text ? "muted" : ""}>{one.cron}</code>}</>;
}

/** The last job of each schedule on the page, read apart: a job may be gone. */
function useLast(list: Schedule[]): Map<string, PickedJob> {
  const ids = list.flatMap((one) => one.last_job_id ? [one.last_job_id] : []), known = new Set(ids);
  const found = useLoad(async (stop) => {
    const jobs = await Promise.allSettled(ids.map((id) => call("get_job", { params: [id], query: { fields: "job_id,status,finished_at" }, signal: stop })));
    return new Map(jobs.flatMap((one) => one.status === "fulfilled" && one.value.job_id ? [[one.value.job_id, one.value] as [string, PickedJob]] : []));
  }, `last ${ids.join(" ")}`, (event) => ended.has(event.type) && known.has(event.job_id ?? ""));
  return found.data ?? new Map<string, PickedJob>();
}

function Last({ one, job }: { one: Schedule; job: PickedJob | undefined }): JSX.Element {
  if (!one.last_job_id) return <span class="faint">never ran</span>;
  return <span class="row nowrap">{job?.status ? <Link to={linkTo("jobs", one.last_job_id)}><Status status={job.status} /></Link> : <Link to={linkTo("trace", null, { id: one.last_job_id })}>gone</Link>}<span class="muted"><Time at={job?.finished_at ?? one.last_fire} /></span></span>;
}

type Act = "pause" | "resume" | "run" | "delete" | "edit";

async function actOn(act: "pause" | "resume" | "run", one: Schedule): Promise<void> {
  if (act === "run") { await call("run_schedule", { params: [one.task_uuid] }); return note("Job submitted"); }
  await call(`${act}_schedule`, { params: [one.task_uuid] });
  note(act === "pause" ? "Schedule paused" : "Schedule resumed");
}

function Acts({ one, run, small = false }: { one: Schedule; run: (act: Act) => void; small?: boolean }): JSX.Element | null {
  const look = small ? "btn small" : "btn";
  return <>
    {may("schedules:write") && !isLeaving(one) && <><button type="button" class={look} onClick={() => run("run")}><Icon name="play" />Run now</button><button type="button" class={look} onClick={() => run(one.status === "DISABLED" ? "resume" : "pause")}>{one.status === "DISABLED" ? "Resume" : "Pause"}</button>{!small && <button type="button" class={look} onClick={() => run("edit")}>Change…</button>}</>}
    {may("schedules:delete") && one.status !== "PENDING_DELETE" && <button type="button" class={`${look} outline-danger`} onClick={() => run("delete")}>Delete…</button>}
  </>;
}

const fates = [["delete", "Delete all of its jobs too"], ["keep", "Keep those that have not ended"], ["cancel", "Delete none; cancel what has not ended"]] as const;

function DeleteSchedule({ one, onClose, done }: { one: Schedule; onClose: () => void; done: () => void }): JSX.Element {
  const [jobs, setJobs] = useState<string>("delete");
  const run = async (reason: string): Promise<void> => {
    const reply = await call("delete_schedule", { params: [one.task_uuid], query: { jobs, confirm: "true", reason } });
    note(reply.message);
    done();
  };
  return (
    <Confirm title={`Delete “${one.name}”?`} danger reason act="Delete the schedule" onClose={onClose} run={run}>
      <div class="stack"><p>From now on nothing of it fires, and nothing is caught up. {one.fired > 0 ? `It fired ${counted(one.fired, "time")}.` : "It never fired."}</p>
        <fieldset class="field plain"><legend>Its jobs</legend>{fates.map(([key, text]) => <label key={key} class="check"><input type="radio" name="jobs" checked={jobs === key} onChange={() => setJobs(key)} />{text}</label>)}</fieldset></div>
    </Confirm>
  );
}

const views = [["", "All"], ["ACTIVE", "Active"], ["DISABLED", "Paused"], ["PENDING_DELETE", "Being deleted"], ["DELETE_FAILED", "Delete failed"]] as const;

export function Schedules(): JSX.Element {
  const { query } = place.value, status = query.get("status") ?? "", group = query.get("group") ?? "", token = query.get("page") ?? "";
  const found = useLoad((stop) => call("list_schedules", { query: { status, group, page_size: 50, page_token: token }, signal: stop }), `schedules ${status} ${group} ${token}`, fired);
  const last = useLast(found.data?.schedules ?? []);
  const [adding, setAdding] = useState(false), [erasing, setErasing] = useState<Schedule | null>(null), [problem, setProblem] = useState<Problem | null>(null);
  const run = (act: Act, one: Schedule): void => {
    if (act === "delete") return setErasing(one);
    if (act === "edit") return;
    setProblem(null);
    void actOn(act, one).then(found.reload, (fault: unknown) => setProblem(problemFrom(fault)));
  };
  return (
    <>
      <Head title="Schedules" sub="jobs that come again and again">{may("schedules:write") && <button type="button" class="btn" onClick={() => setAdding(true)}><Icon name="plus" />New schedule</button>}</Head>
      <nav class="tabs" aria-label="Schedules">{views.map(([key, title]) => <Link key={key} to={withQuery({ status: key || null, page: null })} aria-current={status === key ? "page" : undefined}>{title}</Link>)}</nav>
      {group && <div class="toolbar"><span class="chip">group:{group}<button type="button" aria-label="Schedules of every group" onClick={() => go(withQuery({ group: null, page: null }))}><Icon name="close" /></button></span></div>}
      {problem && <div class="after"><Trouble problem={problem} /></div>}
      <Card><Shown of={found}>{(data) => data.schedules.length === 0
        ? <Empty icon="schedules" title={status || group ? "No schedule is like that" : "No schedule yet"}><p>{status || group ? "Look at all of them." : "A schedule submits a job by a cron expression in a time zone, each so often, or once. It fires once each time, whatever node dies."}</p>{status || group ? <Link to={linkTo("schedules")} class="btn">Show all</Link> : may("schedules:write") && <button type="button" class="btn" onClick={() => setAdding(true)}>Make one</button>}</Empty>
        : <><div class="scroll"><table class="cards"><caption class="unseen">Schedules</caption><thead><tr><th scope="col">Name</th><th scope="col">When</th><th scope="col">State</th><th scope="col">Next run</th><th scope="col">Last result</th><th><span class="unseen">Acts</span></th></tr></thead><tbody>{data.schedules.map((one) => <tr key={one.task_uuid} data-schedule={one.task_uuid}>
          <th scope="row"><Link to={linkTo("schedules", one.task_uuid)}><span class="cut">{one.name}</span></Link></th><td data-label="When" class="wide"><span class="plan two"><Plan one={one} /><small class="muted">{one.zone}</small></span></td><td data-label="State"><State one={one} /></td>
          <td data-label="Next run" class="muted">{one.status === "ACTIVE" ? <Time at={one.next_fire} /> : ""}</td><td data-label="Last result"><Last one={one} job={last.get(one.last_job_id ?? "")} /></td><td class="num acts"><Acts one={one} small run={(act) => run(act, one)} /></td></tr>)}</tbody></table></div>
          {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />First</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">More<Icon name="next" /></Link>}</div>}</>}</Shown></Card>
      {adding && <ScheduleForm begun={null} onClose={() => setAdding(false)} onDone={(made) => { setAdding(false); note("Schedule made"); go(linkTo("schedules", made.task_uuid)); }} />}
      {erasing && <DeleteSchedule one={erasing} onClose={() => setErasing(null)} done={found.reload} />}
    </>
  );
}

function Next({ one }: { one: Schedule }): JSX.Element {
  const found = useLoad((stop) => call("next_fires", { params: [one.task_uuid], query: { count: 10 }, signal: stop }), `next ${one.task_uuid} ${one.etag} ${one.last_fire} ${one.status}`);
  return <Card title="Next ten times" aside={<small>{one.zone}</small>}><Shown of={found} rows={4}>{(data) => data.next.length === 0 ? <div class="body muted">{one.status === "DISABLED" ? "None while it is paused." : isLeaving(one) ? "None: it is being deleted." : "None: it is over."}</div>
    : <ol class="fires">{data.next.map((fire) => <li key={fire.at}><span class="mono">{fire.wall.replace("T", " ")}</span><span class="muted"><Time at={fire.at} /></span></li>)}</ol>}</Shown></Card>;
}

function Runs({ one }: { one: Schedule }): JSX.Element {
  const token = place.value.query.get("page") ?? "";
  const found = useLoad((stop) => call("list_runs", { params: [one.task_uuid], query: { page_size: 20, page_token: token }, signal: stop }), `runs ${one.task_uuid} ${token}`, (event) => ended.has(event.type) || event.type === "job.created");
  return <Card title="Runs" aside={<small>{figure(one.fired)} fired{one.missed > 0 && `, ${figure(one.missed)} missed`}{one.overlaps > 0 && `, ${figure(one.overlaps)} left out while another ran`}</small>}><Shown of={found}>{(data) => data.runs.length === 0 ? <Empty icon="schedules" title="Nothing ran yet"><p>Its jobs stand here, newest first.</p></Empty>
    : <><div class="scroll"><table class="cards"><caption class="unseen">Runs, newest first</caption><thead><tr><th scope="col">Job</th><th scope="col">Status</th><th scope="col">Took</th><th scope="col" class="num">Made</th></tr></thead><tbody>{data.runs.map((job) => <tr key={job.job_id}><th scope="row"><Link to={linkTo("jobs", job.job_id)} class="id">{shortId(job.job_id)}</Link></th><td data-label="Status"><Status status={job.status} /></td><td data-label="Took" class="muted"><Took from={job.started_at} to={job.finished_at} /></td><td data-label="Made" class="num muted"><Time at={job.created_at} /></td></tr>)}</tbody></table></div>
      {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />Newest</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">Older<Icon name="next" /></Link>}</div>}</>}</Shown></Card>;
}

const lateWords: Record<Schedule["misfire"], string> = { skip: "are left out", once: "are made up for by one run", all: "are each run, the newest first" };
const overlapWords: Record<Schedule["overlap"], string> = { allow: "the next one runs beside it", skip: "the next one is left out", queue_one: "one waits for its end", cancel_old: "it is cancelled" };

export function SchedulePage({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => call("get_schedule", { params: [id], signal: stop }), `schedule ${id}`, fired), one = found.data;
  const [asking, setAsking] = useState<"edit" | "delete" | null>(null), [problem, setProblem] = useState<Problem | null>(null);
  const run = (act: Act): void => {
    if (!one) return;
    if (act === "edit" || act === "delete") return setAsking(act);
    setProblem(null);
    void actOn(act, one).then(found.reload, (fault: unknown) => setProblem(problemFrom(fault)));
  };
  return (
    <>
      <p class="small"><Link to={linkTo("schedules")}>Schedules</Link> <span class="faint">/</span></p>
      <div class="job-head"><h1 class="words" tabIndex={-1}>{one?.name ?? "Schedule"}</h1>{one && <State one={one} />}<span class="grow" />{one && <Acts one={one} run={run} />}</div>
      {problem && <Trouble problem={problem} />}
      <Shown of={found}>{(data) => <>
        <div class="job-sub"><span class="plan"><Plan one={data} /></span><span>{data.zone}</span>{data.status === "ACTIVE" && data.next_fire && <span>next <Time at={data.next_fire} /></span>}</div>
        {data.error && <div class="alert bad after"><Icon name="warn" /><div><p><b>{data.status === "DELETE_FAILED" ? "Its delete failed." : "It could not fire."}</b></p><p>{data.error}</p></div></div>}
        <div class="cols"><Runs one={data} /><div class="stack"><Next one={data} />
          <Card title="What it submits"><div class="body stack"><dl class="facts"><dt>Kind</dt><dd>{data.job.kind}</dd><dt>Queue</dt><dd>{data.job.queue ?? "default"}</dd>{data.group && <><dt>Group</dt><dd><Link to={linkTo("schedules", null, { group: data.group })}>{data.group}</Link></dd></>}<dt>Project</dt><dd>{data.project}</dd><dt>While one runs</dt><dd>{overlapWords[data.overlap]}</dd><dt>Missed times</dt><dd>{lateWords[data.misfire]}</dd>{data.jitter_s > 0 && <><dt>Spread</dt><dd>over {figure(data.jitter_s)} s</dd></>}{data.end_at && <><dt>Ends</dt><dd>{exact(data.end_at, choices.value.zone)}</dd></>}</dl><Code value={data.job} what="Job" /></div></Card></div></div>
      </>}</Shown>
      {asking === "edit" && one && <ScheduleForm begun={one} onClose={() => setAsking(null)} onDone={() => { setAsking(null); note("Schedule changed"); found.reload(); }} />}
      {asking === "delete" && one && <DeleteSchedule one={one} onClose={() => setAsking(null)} done={found.reload} />}
    </>
  );
}
