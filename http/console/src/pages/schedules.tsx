// Schedules: when each fires in words, how its last job ended, its next ten times; paused, run now, changed, deleted.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PickedJob, Problem, Schedule } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Back, Card, Code, Empty, Head, Link, shortId, Shown, Status, Time, Took, Trouble } from "../parts/kit.tsx";
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
import { t } from "../state/words.ts";

const fired = (event: { type: string }): boolean => event.type === "job.created" || event.type === "task.deleted";
const ended = new Set(["job.started", "job.succeeded", "job.failed", "job.cancelled", "job.deleted"]);
const words = (one: Schedule): string => planWords(one, (iso) => exact(iso, choices.value.zone));
const isLeaving = (one: Schedule): boolean => one.status === "PENDING_DELETE" || one.status === "DELETE_FAILED";

function State({ one }: { one: Schedule }): JSX.Element {
  if (one.status === "PENDING_DELETE") return <Status status="pending_delete" />;
  if (one.status === "DELETE_FAILED") return <Status status="delete_failed" />;
  return one.status === "DISABLED" ? <span class="st wait"><Icon name="pause" />{t("paused")}</span> : one.next_fire === null && one.waiting_fire === null ? <span class="st wait">{t("over")}</span> : <span class="st ok"><Icon name="check" />{t("active")}</span>;
}

function Plan({ one, zone = false }: { one: Schedule; zone?: boolean }): JSX.Element {
  const text = words(one);
  const place = zone && <small class="muted">{one.zone}</small>;
  return <>{text && <span>{text}</span>}{one.cron ? <span class={text ? "muted" : ""}><code>{one.cron}</code> {place}</span> : place}</>;
}

/** The last runs of each schedule on the page, newest first; read apart, because a schedule does not know what became of them. */
function useLast(list: Schedule[]): Map<string, PickedJob[]> {
  const known = new Set(list.flatMap((one) => one.last_job_id ? [one.last_job_id] : [])), ids = list.filter((one) => one.last_job_id).map((one) => one.task_uuid);
  const found = useLoad(async (stop) => {
    const runs = await Promise.allSettled(ids.map(async (id) => [id, (await call("list_jobs", { query: { filter: `schedule_id="${id}"`, fields: "job_id,status,started_at,finished_at,created_at", page_size: 12 }, signal: stop })).jobs] as [string, PickedJob[]]));
    return new Map(runs.flatMap((one) => one.status === "fulfilled" ? [one.value] : []));
  }, `last ${ids.join(" ")} ${[...known].join(" ")}`, (event) => ended.has(event.type) && known.has(event.job_id ?? ""));
  return found.data ?? new Map<string, PickedJob[]>();
}

/** One mark a run, the newest on the right: its height says how it ended as much as its colour. */
function Strip({ runs, name }: { runs: PickedJob[]; name: string }): JSX.Element | null {
  if (runs.length < 2) return null;
  const failed = runs.filter((job) => job.status === "failed").length;
  return <span class="strip-runs" role="img" aria-label={`The last ${counted(runs.length, "run")} of ${name}: ${failed === 0 ? "none failed" : `${figure(failed)} failed`}`}>{[...runs].reverse().map((job) => <i key={job.job_id} class={job.status ?? ""} />)}</span>;
}

function Last({ one, runs }: { one: Schedule; runs: PickedJob[] }): JSX.Element {
  if (!one.last_job_id) return <span class="faint">{t("never ran")}</span>;
  const job = runs.find((run) => run.job_id === one.last_job_id);
  return <span class="row nowrap">{job?.status ? <Link to={linkTo("jobs", one.last_job_id)}><Status status={job.status} /></Link> : <Link to={linkTo("trace", null, { id: one.last_job_id })}>{t("gone")}</Link>}<span class="muted"><Time at={job?.finished_at ?? one.last_fire} /></span></span>;
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
    {may("schedules:write") && !isLeaving(one) && <><button type="button" class={look} onClick={() => run("run")}>{!small && <Icon name="play" />}{t("Run now")}</button><button type="button" class={look} onClick={() => run(one.status === "DISABLED" ? "resume" : "pause")}>{one.status === "DISABLED" ? "Resume" : "Pause"}</button>{!small && <button type="button" class={look} onClick={() => run("edit")}>{t("Change…")}</button>}</>}
    {may("schedules:delete") && one.status !== "PENDING_DELETE" && <button type="button" class={`${look} outline-danger`} onClick={() => run("delete")}>{t("Delete…")}</button>}
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
    <Confirm title={`Delete “${one.name}”?`} danger reason act={t("Delete the schedule")} onClose={onClose} run={run}>
      <div class="stack"><p>{t("From now on nothing of it fires, and nothing is caught up.")}{" "}{one.fired > 0 ? `It fired ${counted(one.fired, "time")}.` : "It never fired."}</p>
        <fieldset class="field plain"><legend>{t("Its jobs")}</legend>{fates.map(([key, text]) => <label key={key} class="check"><input type="radio" name="jobs" checked={jobs === key} onChange={() => setJobs(key)} />{text}</label>)}</fieldset></div>
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
      <Head title={t("Schedules")} sub={t("jobs that come again and again")}>{may("schedules:write") && <button type="button" class="btn" onClick={() => setAdding(true)}><Icon name="plus" />{t("New schedule")}</button>}</Head>
      <nav class="tabs" aria-label={t("Schedules")}>{views.map(([key, title]) => <Link key={key} to={withQuery({ status: key || null, page: null })} aria-current={status === key ? "page" : undefined}>{title}</Link>)}</nav>
      {group && <div class="toolbar"><span class="chip">group:{group}<button type="button" aria-label={t("Schedules of every group")} onClick={() => go(withQuery({ group: null, page: null }))}><Icon name="close" /></button></span></div>}
      {problem && <div class="after"><Trouble problem={problem} /></div>}
      <Card><Shown of={found}>{(data) => data.schedules.length === 0
        ? <Empty icon="schedules" title={status || group ? "No schedule is like that" : "No schedule yet"}><p>{status || group ? "Look at all of them." : "A schedule submits a job by a cron expression in a time zone, each so often, or once. It fires once each time, whatever node dies."}</p>{status || group ? <Link to={linkTo("schedules")} class="btn">{t("Show all")}</Link> : may("schedules:write") && <button type="button" class="btn" onClick={() => setAdding(true)}>{t("Make one")}</button>}</Empty>
        : <><div class="scroll"><table class="cards"><caption class="unseen">{t("Schedules")}</caption><thead><tr><th scope="col">{t("Name")}</th><th scope="col">{t("When")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Next run")}</th><th scope="col">{t("Last result")}</th><th scope="col">{t("Runs")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{data.schedules.map((one) => <tr key={one.task_uuid} data-schedule={one.task_uuid}>
          <th scope="row"><Link to={linkTo("schedules", one.task_uuid)}><span class="cut">{one.name}</span></Link></th><td data-label={t("When")} class="wide"><span class="plan two"><Plan one={one} zone /></span></td><td data-label={t("State")}><State one={one} /></td>
          <td data-label={t("Next run")} class="muted">{one.status === "ACTIVE" ? <Time at={one.next_fire} /> : ""}</td><td data-label={t("Last result")}><Last one={one} runs={last.get(one.task_uuid) ?? []} /></td><td data-label={t("Runs")}><Strip runs={last.get(one.task_uuid) ?? []} name={one.name} /></td><td class="num acts"><Acts one={one} small run={(act) => run(act, one)} /></td></tr>)}</tbody></table></div>
          {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("First")}</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">{t("More")}<Icon name="next" /></Link>}</div>}</>}</Shown></Card>
      {adding && <ScheduleForm begun={null} onClose={() => setAdding(false)} onDone={(made) => { setAdding(false); note("Schedule made"); go(linkTo("schedules", made.task_uuid)); }} />}
      {erasing && <DeleteSchedule one={erasing} onClose={() => setErasing(null)} done={found.reload} />}
    </>
  );
}

function Next({ one }: { one: Schedule }): JSX.Element {
  const found = useLoad((stop) => call("next_fires", { params: [one.task_uuid], query: { count: 10 }, signal: stop }), `next ${one.task_uuid} ${one.etag} ${one.last_fire} ${one.status}`);
  return <Card title={t("Next ten times")} aside={<small>{one.zone}</small>}><Shown of={found} rows={4}>{(data) => data.next.length === 0 ? <div class="body muted">{one.status === "DISABLED" ? "None while it is paused." : isLeaving(one) ? "None: it is being deleted." : "None: it is over."}</div>
    : <ol class="fires">{data.next.map((fire) => <li key={fire.at}><span class="mono">{fire.wall.replace("T", " ")}</span><span class="muted"><Time at={fire.at} /></span></li>)}</ol>}</Shown></Card>;
}

function Runs({ one }: { one: Schedule }): JSX.Element {
  const token = place.value.query.get("page") ?? "";
  const found = useLoad((stop) => call("list_runs", { params: [one.task_uuid], query: { page_size: 20, page_token: token }, signal: stop }), `runs ${one.task_uuid} ${token}`, (event) => ended.has(event.type) || event.type === "job.created");
  return <Card title={t("Runs")} aside={<small>{figure(one.fired)}{" "}{t("fired")}{one.missed > 0 && `, ${figure(one.missed)} missed`}{one.overlaps > 0 && `, ${figure(one.overlaps)} left out while another ran`}</small>}><Shown of={found}>{(data) => data.runs.length === 0 ? <Empty icon="schedules" title={t("Nothing ran yet")}><p>{t("Its jobs stand here, newest first.")}</p></Empty>
    : <><div class="scroll"><table class="cards"><caption class="unseen">{t("Runs, newest first")}</caption><thead><tr><th scope="col">{t("Job")}</th><th scope="col">{t("Status")}</th><th scope="col">{t("Took")}</th><th scope="col" class="num">{t("Made")}</th></tr></thead><tbody>{data.runs.map((job) => <tr key={job.job_id}><th scope="row"><Link to={linkTo("jobs", job.job_id)} class="id">{shortId(job.job_id)}</Link></th><td data-label={t("Status")}><Status status={job.status} /></td><td data-label={t("Took")} class="muted"><Took from={job.started_at} to={job.finished_at} /></td><td data-label={t("Made")} class="num muted"><Time at={job.created_at} /></td></tr>)}</tbody></table></div>
      {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("Newest")}</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">{t("Older")}<Icon name="next" /></Link>}</div>}</>}</Shown></Card>;
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
      <Back to="schedules" title={t("Schedules")} />
      <div class="job-head"><h1 class="words" tabIndex={-1}>{one?.name ?? "Schedule"}</h1>{one && <State one={one} />}<span class="grow" />{one && <Acts one={one} run={run} />}</div>
      {problem && <Trouble problem={problem} />}
      <Shown of={found}>{(data) => <>
        <div class="job-sub"><span class="plan"><Plan one={data} /></span><span>{data.zone}</span>{data.status === "ACTIVE" && data.next_fire && <span>{t("next")}{" "}<Time at={data.next_fire} /></span>}</div>
        {data.error && <div class="alert bad after"><Icon name="warn" /><div><p><b>{data.status === "DELETE_FAILED" ? "Its delete failed." : "It could not fire."}</b></p><p>{data.error}</p></div></div>}
        <div class="cols"><Runs one={data} /><div class="stack"><Next one={data} />
          <Card title={t("What it submits")}><div class="body stack"><dl class="facts"><dt>{t("Kind")}</dt><dd>{data.job.kind}</dd><dt>{t("Queue")}</dt><dd>{data.job.queue ?? "default"}</dd>{data.group && <><dt>{t("Group")}</dt><dd><Link to={linkTo("schedules", null, { group: data.group })}>{data.group}</Link></dd></>}<dt>{t("Project")}</dt><dd>{data.project}</dd><dt>{t("While one runs")}</dt><dd>{overlapWords[data.overlap]}</dd><dt>{t("Missed times")}</dt><dd>{lateWords[data.misfire]}</dd>{data.jitter_s > 0 && <><dt>{t("Spread")}</dt><dd>{t("over")}{" "}{figure(data.jitter_s)} s</dd></>}{data.end_at && <><dt>{t("Ends")}</dt><dd>{exact(data.end_at, choices.value.zone)}</dd></>}</dl><Code value={data.job} what={t("Job")} /></div></Card></div></div>
      </>}</Shown>
      {asking === "edit" && one && <ScheduleForm begun={one} onClose={() => setAsking(null)} onDone={() => { setAsking(null); note("Schedule changed"); found.reload(); }} />}
      {asking === "delete" && one && <DeleteSchedule one={one} onClose={() => setAsking(null)} done={found.reload} />}
    </>
  );
}
