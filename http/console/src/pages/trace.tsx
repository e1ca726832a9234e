// "Where did job X go?" Three answers: it is here, it was deleted (by whom, when, with which proof), or it was never seen.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { PickedJob, Problem } from "../api.ts";
import { Icon } from "../parts/icons.tsx";
import { Card, Empty, Head, Link, Shown, Status, Time } from "../parts/kit.tsx";
import { isProven, verdictWords } from "../rules/deletion.ts";
import { isId, linkTo } from "../rules/links.ts";
import { exact, relative } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call, Fault } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { now } from "../state/now.ts";
import { go, place } from "../state/place.ts";
import { offers } from "../state/session.ts";
import { Whereabouts } from "./whereabouts.tsx";
import { t } from "../state/words.ts";

export const nameOf = (who: string): string => who.replace(/^token:/, "").replace(/#.*$/, "");

function Tombstone({ id, problem }: { id: string; problem: Problem }): JSX.Element {
  const stone = problem.tombstone, at = problem.deleted_at ?? null;
  return (
    <div class="trace-card">
      <div class="row wrap"><span class="st del"><Icon name="deletions" />{t("deleted")}</span><span class="id">{id}</span></div>
      <p>{problem.deleted_by ? <>{t("Deleted by")}{" "}<b>{nameOf(problem.deleted_by)}</b></> : "It was deleted"}{at && <> {relative(Date.parse(at), now.value)}{t(", at")}{" "}{exact(at, choices.value.zone)}</>}{t(". Nothing of it is left, and nothing of it will start again.")}</p>
      {stone && (
        <dl class="facts boxed">
          <dt>{t("It was")}</dt><dd><Status status={stone.was} /></dd>
          <dt>{t("Proof")}</dt><dd class={isProven(stone.verdict) ? "good-text" : "warn-text"}>{verdictWords[stone.verdict] ?? stone.verdict}</dd>
          {stone.reason && <><dt>{t("Reason")}</dt><dd>{stone.reason}</dd></>}
          <dt>{t("Remembered")}</dt><dd>{t("until")}{" "}{exact(stone.until, choices.value.zone)}</dd>
          <dt>{t("Receipt")}</dt><dd><Link to={linkTo("deletions", stone.delete_id)} class="mono">{stone.delete_id}</Link></dd>
        </dl>
      )}
    </div>
  );
}

/** `found`: a job that is here, the problem of one that is gone, or nothing for one that was never seen. */
export function TraceResult({ id, found }: { id: string; found: PickedJob | Problem | null }): JSX.Element {
  if (found === null) return <Card><Empty icon="trace" title={t("Never seen here")}><p>{t("No job with the id")}{" "}<code>{id}</code>{" "}{t("was ever in this store, or it was deleted so long ago that the id is forgotten.")}</p><Link to={linkTo("jobs")} class="btn">{t("All jobs")}</Link></Empty></Card>;
  if ("code" in found) return <Card><Tombstone id={id} problem={found as Problem} /></Card>;
  const job = found as PickedJob;
  return (
    <Card>
      <div class="trace-card">
        <div class="row wrap">{job.status && <Status status={job.status} />}<Link to={linkTo("jobs", id)} class="id">{id}</Link></div>
        <p>{t("It is here:")}{" "}{job.kind} in {job.queue}{t(", created")}{" "}<Time at={job.created_at} />{job.status === "running" && <>{t(", running since")}{" "}<Time at={job.started_at} /></>}.</p>
        <div><Link to={linkTo("jobs", id)} class="btn primary">{t("Open the job")}</Link></div>
      </div>
    </Card>
  );
}

async function look(id: string, stop: AbortSignal): Promise<{ found: PickedJob | Problem | null }> {
  try {
    return { found: await call("get_job", { params: [id], query: { fields: "job_id,kind,queue,status,created_at,started_at" }, signal: stop }) };
  } catch (fault) {
    if (fault instanceof Fault && fault.status === 410) return { found: fault.problem };
    if (fault instanceof Fault && fault.status === 404) return { found: null };
    throw fault;
  }
}

function Answer({ id }: { id: string }): JSX.Element {
  const answer = useLoad((stop) => look(id, stop), `trace ${id}`, (event) => event.job_id === id);
  return <Shown of={answer} rows={3}>{(data) => <TraceResult id={id} found={data.found} />}</Shown>;
}

export function Trace(): JSX.Element {
  const asked = place.value.query.get("id") ?? "", [text, setText] = useState(asked), [fault, setFault] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = text.trim().toLowerCase();
    if (isId(wanted)) { setFault(""); go(linkTo("trace", null, { id: wanted })); } else setFault("An id looks like 0198c2c0-0000-7000-8000-000000000001.");
  };
  return (
    <>
      <Head title={t("Where did a job go?")} />
      <form class="toolbar" onSubmit={submit}>
        <input class="input mono" style={{ maxWidth: "430px" }} aria-label={t("Job id")} aria-invalid={fault !== ""} aria-describedby="trace-fault" placeholder="0198c2c0-…" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button class="btn primary">{t("Look")}</button><span id="trace-fault" class="danger-text small" role="alert">{fault}</span>
      </form>
      {asked ? offers("trace_job") ? <Whereabouts key={asked} id={asked} /> : <Answer key={asked} id={asked} /> : <Card><Empty icon="trace" title={t("Ask for any id")}><p>{t("A job that is here, one that was deleted weeks ago with its proof, or an id that was never seen: the answer is one of the three.")}</p></Empty></Card>}
    </>
  );
}
