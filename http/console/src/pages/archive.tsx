// Copies of deleted jobs: found, looked at, brought back; and what goes when.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Copies, ExpiryFigures, Retention, RetentionRules } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { FilterBar, NotUnderstood } from "../parts/filter_bar.tsx";
import { Icon } from "../parts/icons.tsx";
import { Back, Card, Code, Copy, Empty, Head, Link, shortId, Shown, Status, statusTitle, Time } from "../parts/kit.tsx";
import { askRestore, askUndo } from "../parts/restore.tsx";
import { forApi, parse, text as textOf } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import { bytes, counted, exact, figure, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { go, place, withQuery } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may, offers, system } from "../state/session.ts";
import { t } from "../state/words.ts";

const told = (event: { type: string }): boolean => event.type === "job.deleted" || event.type === "jobs.deleted" || event.type === "job.created";

function Rows({ data, chosen, choose }: { data: Copies; chosen: ReadonlySet<string>; choose: (next: Set<string>) => void }): JSX.Element {
  const ids = data.copies.map((one) => one.job_id), all = ids.length > 0 && ids.every((id) => chosen.has(id)), mayRestore = may("jobs:write");
  const flip = (id: string): void => { const next = new Set(chosen); if (!next.delete(id)) next.add(id); choose(next); };
  return (
    <div class="scroll"><table class="cards jobs"><caption class="unseen">{t("Copies of deleted jobs")}</caption>
      <thead><tr>{mayRestore && <th scope="col" class="pick"><label><input type="checkbox" aria-label={t("Select this page")} checked={all} onChange={() => choose(new Set(all ? [] : ids))} /></label></th>}<th scope="col">{t("Job")}</th><th scope="col">{t("It was")}</th><th scope="col">{t("Kind")}</th><th scope="col">{t("Queue")}</th><th scope="col">{t("Delete")}</th><th scope="col" class="num">{t("Size")}</th><th scope="col" class="num">{t("Deleted")}</th><th scope="col" class="num">{t("Kept until")}</th></tr></thead>
      <tbody>{data.copies.map((one) => <tr key={one.job_id} data-copy={one.job_id} class={chosen.has(one.job_id) ? "is-chosen" : ""}>
        {mayRestore && <td class="pick"><label><input type="checkbox" aria-label={`Select job ${shortId(one.job_id)}`} checked={chosen.has(one.job_id)} onChange={() => flip(one.job_id)} /></label></td>}
        <th scope="row"><Link to={linkTo("archive", one.job_id)} class="id">{shortId(one.job_id)}</Link></th><td data-label={t("It was")}><Status status={one.was} /></td><td data-label={t("Kind")}>{one.kind}</td><td data-label={t("Queue")}><span class="cut">{one.queue}</span></td>
        <td data-label={t("Delete")}><Link to={withQuery({ delete: one.delete_id, page: null })} class="id" title={t("All of this delete")}>{shortId(one.delete_id)}</Link></td><td data-label={t("Size")} class="num muted">{bytes(one.bytes)}</td><td data-label={t("Deleted")} class="num muted"><Time at={one.deleted_at} /></td><td data-label={t("Kept until")} class="num muted"><Time at={one.copy_kept_until} /></td></tr>)}</tbody>
    </table></div>
  );
}

function List(): JSX.Element {
  const { query } = place.value, token = query.get("page") ?? "", ofDelete = query.get("delete") ?? "", { terms, faults } = parse(query.get("q") ?? "", Date.now()), filter = forApi(terms, 0);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const found = useLoad((stop) => faults.length > 0 ? new Promise<never>(() => undefined) : call("list_archive", { query: { filter, delete_id: ofDelete, page_size: 50, page_token: token }, signal: stop }), `archive ${filter} ${faults.length} ${ofDelete} ${token}`, told);
  const here = (found.data?.copies ?? []).filter((one) => chosen.has(one.job_id)).map((one) => one.job_id), back = (): void => { setChosen(new Set()); found.reload(); };
  const known = { queue: [...new Set(found.data?.copies.map((one) => one.queue) ?? [])], kind: system.value?.kinds.map((kind) => kind.name) ?? [], tag: [], project: [...new Set(found.data?.copies.map((one) => one.project) ?? [])] };
  const isNarrow = terms.length > 0 || ofDelete !== "";
  return (
    <>
      <div class="toolbar"><FilterBar terms={terms} known={known} hint={t("queue:default  kind:llm  status:failed")} onChange={(next) => go(withQuery({ q: textOf(next) || null, page: null }))} />
        {ofDelete && <span class="chip">delete:{shortId(ofDelete)}<button type="button" aria-label={t("Copies of every delete")} onClick={() => go(withQuery({ delete: null, page: null }))}><Icon name="close" /></button></span>}
        {ofDelete && may("jobs:write") && <button type="button" class="btn" onClick={() => askUndo(ofDelete, back)}>{t("Undo this delete…")}</button>}
        {faults.length > 0 && <p class="danger-text small" role="alert" style={{ flexBasis: "100%" }}>{faults.join(" ")}</p>}</div>
      {faults.length > 0 ? <NotUnderstood to={linkTo("archive")} all={t("Show all copies")} /> : <Card><Shown of={found}>{(data) => data.copies.length === 0
        ? <Empty icon="archive" title={isNarrow ? "No copy matches" : "No copy is kept"}><p>{isNarrow ? "Take a part of the filter away. What has come to the end of its time is gone." : "When archive is on for a job's queue, a deleted job leaves a copy here for some days, and can be brought back."}</p>{isNarrow ? <Link to={linkTo("archive")} class="btn">{t("Show all copies")}</Link> : <Link to={linkTo("deletions")} class="btn">{t("Deletions")}</Link>}</Empty>
        : <><Rows data={data} chosen={chosen} choose={setChosen} />{(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("First")}</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">{t("More")}<Icon name="next" /></Link>}</div>}</>}</Shown></Card>}
      {here.length > 0 && <div class="actions" role="region" aria-label={t("Selection")}><b>{figure(here.length)}{" "}{t("selected")}</b><button type="button" class="btn primary" onClick={() => askRestore(here, back)}>{t("Bring")}{" "}{counted(here.length, "job")}{" "}{t("back…")}</button><button type="button" class="btn ghost" onClick={() => setChosen(new Set())}>{t("Clear")}</button></div>}
    </>
  );
}

const kept = (days: number): string => days === 0 ? "for ever" : counted(days, "day");
const ruleCells = (rules: RetentionRules): Array<[string, string]> => [["Succeeded", kept(rules.succeeded_days)], ["Failed", kept(rules.failed_days)], ["Cancelled", kept(rules.cancelled_days)], ["Results", rules.result_days === 0 ? "as long as the job" : kept(rules.result_days)], ["Copies", rules.archive_days === 0 ? "none" : kept(rules.archive_days)]];

const goes: Array<[keyof ExpiryFigures, string]> = [["due", "Due now"], ["within_a_day", "Within a day"], ["within_a_week", "Within a week"], ["later", "Later"]];
const isAny = (one: ExpiryFigures): boolean => goes.some(([key]) => one[key] > 0);

function Ends({ data }: { data: Retention }): JSX.Element {
  const rows = [...data.records.map((one) => ({ ...one, what: `${one.queue}, ${statusTitle(one.status)}` })), { ...data.results, what: "Results apart from their jobs" }, { ...data.copies, what: "Copies of deleted jobs" }].filter(isAny);
  if (rows.length === 0) return <p class="body muted">{t("Nothing has an end in sight.")}</p>;
  return <div class="scroll"><table class="cards"><caption class="unseen">{t("What goes when")}</caption><thead><tr><th scope="col">{t("What")}</th>{goes.map(([key, title]) => <th key={key} scope="col" class="num">{title}</th>)}</tr></thead><tbody>{rows.map((one) => <tr key={one.what}><th scope="row">{one.what}</th>{goes.map(([key, title]) => <td key={key} data-label={title} class={`num ${one[key] === 0 ? "faint" : key === "due" ? "warn-text" : ""}`}>{figure(one[key])}</td>)}</tr>)}</tbody></table></div>;
}

function RunNow({ onClose, done }: { onClose: () => void; done: () => void }): JSX.Element {
  const dry = useLoad((stop) => call("run_retention", { body: { validate_only: true }, signal: stop }), "retention dry run"), due = dry.data?.due ?? 0;
  const run = async (): Promise<void> => {
    const ran = await call("run_retention", { body: { ...(due > 0 ? { confirm_count: due } : {}), confirm: true, wait: 20 } });
    note(ran.complete ? `${counted(ran.deleted, "job")} deleted` : `${counted(ran.deleted, "job")} deleted so far`);
    done();
  };
  return <Confirm title={t("Let go what is due?")} danger act={`Delete ${counted(due, "job")}`} onClose={onClose} run={run}><Shown of={dry} rows={2}>{(data) => <p>{data.due_is_partial && "At least "}{counted(data.due, "job")}, {counted(data.results_due, "result")} and {counted(data.copies_due, "copy", "copies")}{" "}{t("have come to their end. They are erased without a copy; protected jobs stay.")}</p>}</Shown></Confirm>;
}

function RetentionView(): JSX.Element {
  const found = useLoad((stop) => call("get_retention", { signal: stop }), "retention"), [running, setRunning] = useState(false);
  return (
    <Shown of={found}>{(data) => {
      const rules: Array<[string, RetentionRules]> = [["All queues", data.rules], ...Object.entries(data.queues)];
      return <div class="stack">
        <Card title={t("How long things are kept")}><div class="scroll"><table class="cards"><caption class="unseen">{t("Rules by queue")}</caption><thead><tr><th scope="col">{t("Queue")}</th>{ruleCells(data.rules).map(([title]) => <th key={title} scope="col">{title}</th>)}</tr></thead><tbody>{rules.map(([name, one]) => <tr key={name}><th scope="row">{name}</th>{ruleCells(one).map(([title, text]) => <td key={title} data-label={title} class="muted">{text}</td>)}</tr>)}</tbody></table></div></Card>
        <Card title={t("What goes when")} aside={<><small>{t("as of")}{" "}{exact(data.as_of, choices.value.zone).slice(11)}{data.is_partial && ", counted in part"}</small>{may("retention:write") && <button type="button" class="btn small" onClick={() => setRunning(true)}>{t("Let go what is due…")}</button>}</>}>
          <p class="body muted">{data.sweep.on ? `The sweep looks each ${span(data.sweep.every_s * 1000)} and takes up to ${figure(data.sweep.most)} jobs at a time.` : "The sweep is off: jobs go only when somebody lets them go. Copies end by themselves."}</p><Ends data={data} /></Card>
        {running && <RunNow onClose={() => setRunning(false)} done={found.reload} />}
      </div>;
    }}</Shown>
  );
}

export function Archive(): JSX.Element {
  const views = [["", "Copies"], ...(offers("get_retention") && may("jobs:read") ? [["retention", "Retention"]] : [])] as Array<[string, string]>;
  const wanted = place.value.query.get("view"), view = views.find(([key]) => key === wanted)?.[0] ?? "";
  return (
    <>
      <Head title={t("Archive")} sub={t("what was deleted and can be brought back")} />
      <nav class="tabs" aria-label={t("Archive")}>{views.map(([key, title]) => <Link key={key} to={linkTo("archive", null, { view: key || null })} aria-current={view === key ? "page" : undefined}>{title}</Link>)}</nav>
      {view === "retention" ? <RetentionView /> : <List />}
    </>
  );
}

export function CopyPage({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => call("get_archived", { params: [id], signal: stop }), `copy ${id}`);
  return (
    <>
      <Back to="archive" title={t("Archive")} />
      <div class="job-head"><h1 tabIndex={-1}>{id}</h1><Copy text={id} what={t("Id")} />{found.data && <Status status={found.data.was} />}<span class="grow" />{found.data && may("jobs:write") && <button type="button" class="btn primary" onClick={() => askRestore([id], () => go(linkTo("jobs", id)))}>{t("Bring it back…")}</button>}</div>
      <Shown of={found}>{(one) => <div class="stack">
        <p class="muted">{t("Deleted at")}{" "}{exact(one.deleted_at, choices.value.zone)}{t("; this copy is kept until")}{" "}{exact(one.copy_kept_until, choices.value.zone)}.</p>
        <Card><div class="body"><dl class="facts"><dt>{t("Job")}</dt><dd>{one.kind} in {one.queue}</dd><dt>{t("Project")}</dt><dd>{one.project}</dd><dt>{t("Delete")}</dt><dd>{may("jobs:read") ? <Link to={linkTo("deletions", one.delete_id)} class="mono">{one.delete_id}</Link> : <span class="mono">{one.delete_id}</span>}</dd><dt>{t("Size")}</dt><dd>{bytes(one.bytes)}</dd><dt>{t("Attempts")}</dt><dd>{figure(one.attempts.length)}</dd></dl></div></Card>
        <Card title={t("As it was")}><div class="body"><Code value={one.job} what={t("Job")} /></div></Card>
        {([["Attempts", one.attempts], ["Remembered steps", one.steps], ["Partial results", one.partials], ["Log", one.logs]] as Array<[string, unknown[]]>).filter(([, list]) => list.length > 0).map(([title, list]) => <Card key={title} title={title} aside={<small>{figure(list.length)}</small>}><div class="body"><Code value={list} what={title} /></div></Card>)}
      </div>}</Shown>
    </>
  );
}
