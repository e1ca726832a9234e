// Operations over many jobs: how far, how fast, when done, and what became of each job.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Operation } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Back, Bar, Card, Code, download, Empty, Head, Link, shortId, Shown, statusTitle, Time, Took } from "../parts/kit.tsx";
import { ReceiptButtons, ReceiptPayload, useReceiptCheck, VerdictLine } from "../parts/receipt.tsx";
import { verdictWords } from "../rules/deletion.ts";
import { linkTo } from "../rules/links.ts";
import { exact, figure, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { place, withQuery } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may, offers } from "../state/session.ts";
import { nameOf } from "./trace.tsx";
import { t } from "../state/words.ts";

const isGoing = (one: Operation): boolean => one.state !== "done" && one.state !== "stopped";
const partOf = (one: Operation): number => one.total === 0 ? 1 : one.done / one.total;
const maySteer = (one: Operation): boolean => may(one.verb === "delete" ? "jobs:delete:filter" : "jobs:write");

function State({ one }: { one: Operation }): JSX.Element {
  if (one.stopping) return <span class="st del">{t("stopping")}</span>;
  if (one.state === "paused") return <span class="st wait">{one.paused_by === "freeze" ? "paused by the freeze" : "paused"}</span>;
  if (one.state === "stopped") return <span class="st bad">{t("stopped")}</span>;
  return <span class={`st ${one.state === "done" ? "ok" : "run"}`}><Icon name={one.state === "done" ? "check" : "operations"} />{one.state}</span>;
}

function speed(one: Operation): string {
  if (!isGoing(one)) return "";
  return [one.per_second > 0 && `${figure(one.per_second)} a second`, one.eta_s !== null && `${span(one.eta_s * 1000)} to go`].filter(Boolean).join(", ");
}

export function Operations(): JSX.Element {
  const found = useLoad((stop) => call("list_operations", { signal: stop }), "operations", (event) => event.type.startsWith("operation."));
  return (
    <>
      <Head title={t("Operations")} sub={t("what works on many jobs")} />
      <Card><Shown of={found}>{(data) => data.operations.length === 0 ? <Empty icon="operations" title={t("No operation")}><p>{t("A delete, cancel or retry of all that match a filter stands here while it works, and seven days after.")}</p><Link to={linkTo("jobs")} class="btn">{t("Jobs")}</Link></Empty>
        : <div class="scroll"><table class="cards"><caption class="unseen">{t("Operations, newest first")}</caption><thead><tr><th scope="col">{t("Operation")}</th><th scope="col">{t("What")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Progress")}</th><th scope="col">{t("By")}</th><th scope="col" class="num">{t("Begun")}</th></tr></thead><tbody>{data.operations.map((one) => <tr key={one.operation_id}>
          <th scope="row"><Link to={linkTo("operations", one.operation_id)} class="id">{shortId(one.operation_id)}</Link></th>
          <td data-label={t("What")}>{one.verb} <code class="cut muted" title={one.filter}>{one.filter}</code></td><td data-label={t("State")}><State one={one} /></td>
          <td data-label={t("Progress")}><span class="row nowrap"><Bar part={partOf(one)} label={t("Progress")} /><span class="muted">{figure(one.done)} of {figure(one.total)}</span></span></td>
          <td data-label={t("By")} class="muted"><span class="cut">{nameOf(one.who)}</span></td><td data-label={t("Begun")} class="num muted"><Time at={one.at} /></td></tr>)}</tbody></table></div>}</Shown></Card>
    </>
  );
}

const outcomeLooks: Record<string, string> = { deleted: "ok", cancelled: "ok", retried: "ok", requested: "run", pending: "del", failed: "bad", refused: "bad" };

function Outcomes({ one }: { one: Operation }): JSX.Element {
  const token = place.value.query.get("page") ?? "";
  const found = useLoad((stop) => call("operation_outcomes", { params: [one.operation_id], query: { page_size: 100, page_token: token }, signal: stop }), `outcomes ${one.operation_id} ${token} ${one.state}`);
  const all = async (): Promise<void> => {
    const lines: string[] = [];
    for (let next = ""; ;) {
      const page = await call("operation_outcomes", { params: [one.operation_id], query: { page_size: 1000, page_token: next } });
      for (const row of page.outcomes) lines.push(JSON.stringify(row));
      next = page.next_page_token;
      if (!next) break;
    }
    download(`outcomes-${one.operation_id}.jsonl`, `${lines.join("\n")}\n`);
  };
  return (
    <Card title={t("Outcomes")} aside={<><span class="grow" /><button type="button" class="btn small" onClick={() => void all()}><Icon name="download" />{t("Download all")}</button></>}>
      <Shown of={found}>{(data) => data.outcomes.length === 0 ? <Empty icon="operations" title={t("No job yet")}><p>{t("Each job stands here as soon as it was its turn.")}</p></Empty> : <>
        <div class="scroll"><table class="cards"><caption class="unseen">{t("What became of each job")}</caption><thead><tr><th scope="col">{t("Job")}</th><th scope="col">{t("Outcome")}</th><th scope="col">{t("It was")}</th><th scope="col">{t("Proof, or why not")}</th></tr></thead><tbody>{data.outcomes.map((row) => <tr key={row.job_id}>
          <th scope="row"><Link to={linkTo("trace", null, { id: row.job_id })} class="id">{shortId(row.job_id)}</Link></th><td data-label={t("Outcome")}><span class={`st ${outcomeLooks[row.outcome] ?? "wait"}`}>{row.outcome.replace(/_/g, " ")}</span></td>
          <td data-label={t("It was")} class="muted">{row.was ? statusTitle(row.was) : ""}</td><td data-label={t("Proof, or why not")} class={row.problem ? "wide danger-text" : "wide muted"}>{row.problem?.detail ?? (row.verdict ? verdictWords[row.verdict] ?? row.verdict : "")}</td></tr>)}</tbody></table></div>
        {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("First")}</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">{t("More")}<Icon name="next" /></Link>}</div>}
      </>}</Shown>
    </Card>
  );
}

// How the delete counted for itself; the figure above says the same to people.
const insideCounts = new Set(["requested", "distinct"]);
const countWords: Record<string, string> = { at_rest: "Were not running", killed: "Runs stopped", dequeued: "Never started", already_gone: "Gone before", failed: "Refused" };

type Wish = "pause" | "resume" | "stop";
const says: Record<Wish, string> = { pause: "It begins no further slice until it is resumed.", resume: "It goes on where it stopped.", stop: "It ends behind the slice that is at work; what is done is done." };
const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

export function OperationPage({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => call("get_operation", { params: [id], signal: stop }), `operation ${id}`, (event) => event.type.startsWith("operation."));
  const [asking, setAsking] = useState<Wish | null>(null), [verdict, check] = useReceiptCheck(), one = found.data, going = one !== null && isGoing(one);
  useEffect(() => {
    if (!going || !choices.value.live) return;
    const timer = setInterval(found.reload, 1000);
    return () => clearInterval(timer);
  }, [going, choices.value.live]);
  const toggle: Wish = one?.state === "paused" ? "resume" : "pause";
  return (
    <>
      <Back to="operations" title={t("Operations")} />
      <div class="job-head"><h1 tabIndex={-1}>{id}</h1>{one && <State one={one} />}<span class="grow" />
        {one && going && !one.stopping && maySteer(one) && <><button type="button" class="btn" onClick={() => setAsking(toggle)}>{title(toggle)}</button><button type="button" class="btn outline-danger" onClick={() => setAsking("stop")}>{t("Stop…")}</button></>}
        {one?.receipt && <ReceiptButtons receipt={one.receipt} name={id} onCheck={() => void check(one.receipt!)} />}
      </div>
      <Shown of={found}>{(data) => (
        <div class="stack">
          <p class="muted">{t("By")}{" "}<b>{nameOf(data.who)}</b> at {exact(data.at, choices.value.zone)}{data.reason && <>{t(", because “")}{data.reason}”</>}.</p>
          {verdict && <VerdictLine verdict={verdict} />}
          {data.paused_by === "freeze" && data.state === "paused" && <div class="alert"><Icon name="pause" /><div>{t("Deletions were frozen, so it stands still; it goes on when somebody resumes it after the freeze.")}</div></div>}
          <Card><div class="body stack">
            <div class="stack tight"><Bar fill part={partOf(data)} label={t("Progress of the operation")} /><p class="muted"><b>{figure(data.done)}</b> of {figure(data.total)}{speed(data) && `, ${speed(data)}`}{data.ended && <>{t(", in")}{" "}<Took from={data.at} to={data.ended} /></>}</p></div>
            <dl class="facts"><dt>{t("What")}</dt><dd>{data.verb}{" "}{t("all that match")}</dd><dt>{t("Filter")}</dt><dd class="mono">{data.filter}</dd>
              {data.created_before && <><dt>{t("Created before")}</dt><dd>{exact(data.created_before, choices.value.zone)}{t("; newer jobs are never taken")}</dd></>}
              {Object.entries(data.counts).filter(([name, n]) => n > 0 && !insideCounts.has(name)).map(([name, n]) => <><dt>{countWords[name] ?? title(name.replace(/_/g, " "))}</dt><dd>{figure(n)}</dd></>)}
              {data.max_per_second !== null && <><dt>{t("At most")}</dt><dd>{figure(data.max_per_second)}{" "}{t("a second")}</dd></>}
              {data.delete_id && offers("undo_deletion") && <><dt>{t("Delete")}</dt><dd><Link to={linkTo("deletions", data.delete_id)} class="mono">{data.delete_id}</Link></dd></>}
            </dl>
            {data.receipt && <ReceiptPayload receipt={data.receipt} />}
            <details class="fold"><summary>{t("All that is known")}</summary><Code value={data} what={t("Operation")} /></details>
          </div></Card>
          {!going && <Outcomes one={data} />}
        </div>
      )}</Shown>
      {asking && <Confirm title={`${title(asking)} this operation?`} danger={asking === "stop"} act={`${title(asking)} it`} onClose={() => setAsking(null)} run={() => call(`${asking}_operation`, { params: [id] }).then(() => { note({ pause: "It pauses behind the slice that is at work", resume: "It goes on", stop: "It stops behind the slice that is at work" }[asking]); found.reload(); })}>{says[asking]}</Confirm>}
    </>
  );
}
