// Jobs: what the URL says is what is shown. Live changes alter rows where they stand; new jobs wait behind a button while
// somebody holds, points at or reads a row.
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { JobPage, JobStatus } from "../api.ts";
import { askDelete, asked } from "../parts/delete_dialog.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { FilterBar, NotUnderstood } from "../parts/filter_bar.tsx";
import { Icon } from "../parts/icons.tsx";
import { columns, JobsTable } from "../parts/jobs_table.tsx";
import { Card, copyText, Empty, Head, Link, Menu, Shown, statusTitle, Toggle } from "../parts/kit.tsx";
import { apply, fresh, toRead, type LiveEvent, type Row } from "../rules/events.ts";
import { forApi, parse, text as textOf, type Term } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import * as select from "../rules/selection.ts";
import { clockTime, counted, figure } from "../rules/times.ts";
import { choices, choose } from "../state/choices.ts";
import { serverNow } from "../state/clock.ts";
import { call } from "../state/client.ts";
import { bind } from "../state/keys.ts";
import { state, watch } from "../state/live.ts";
import { useLoad } from "../state/load.ts";
import { go, place, withQuery } from "../state/place.ts";
import { note, say } from "../state/says.ts";
import { may, system } from "../state/session.ts";
import { FilterDelete } from "../parts/filter_delete.tsx";
import { offers } from "../state/session.ts";
import { FirstRun } from "./first_run.tsx";
import { NewJob } from "./new_job.tsx";
import { t } from "../state/words.ts";

const tabs: Array<[string, string]> = [["", "All"], ["running", "Running"], ["queued", "Queued"], ["scheduled", "Scheduled"], ["failed", "Failed"], ["succeeded", "Succeeded"], ["cancelled", "Cancelled"], ["pending_delete,delete_failed", "Being deleted"]];
const fields = "job_id,kind,queue,status,progress,current_phase,error,created_at,run_at,started_at,finished_at,worker_id,attempt,max_attempts,priority,tags,project,deletion";

function useCounts(queue: string | null): { counts: Record<string, number>; total: number; asOf: string } | null {
  const loaded = useLoad(async (stop) => {
    if (queue === null) {
      const found = await call("count_jobs", { query: { group_by: "status" }, signal: stop }) as { counts: Record<string, number>; as_of: string };
      return { counts: found.counts, asOf: found.as_of };
    }
    const found = await call("count_jobs", { query: { group_by: "status,queue" }, signal: stop }) as { groups: Array<{ status: string; queue: string; n: number }>; as_of: string };
    const counts: Record<string, number> = {};
    for (const group of found.groups) if (group.queue === queue) counts[group.status] = group.n;
    return { counts, asOf: found.as_of };
  }, `counts ${queue}`, (event) => event.type.startsWith("job.") && event.type !== "job.progress");
  return loaded.data && { ...loaded.data, total: Object.values(loaded.data.counts).reduce((sum, n) => sum + n, 0) };
}

function Tabs({ status, counts }: { status: string; counts: Record<string, number> | null }): JSX.Element {
  const of = (key: string): number | null => {
    if (!counts) return null;
    return (key === "" ? Object.keys(counts) : key.split(",")).reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  };
  return (
    <nav class="tabs" aria-label={t("Statuses")}>
      {tabs.map(([key, title]) => {
        const n = of(key);
        return <Link key={key} to={withQuery({ status: key || null, page: null })} aria-current={key === status ? "page" : undefined}>{t(title)}{n !== null && <b>{figure(n)}</b>}</Link>;
      })}
    </nav>
  );
}

function Views({ terms }: { terms: Term[] }): JSX.Element {
  const [name, setName] = useState("");
  const views = choices.value.views;
  return (
    <Menu label={t("Views")} icon="star" right>
      {(close) => <>
        {views.length === 0 && <h3>{t("No view is saved in this browser yet.")}</h3>}
        {views.map((view) => <div key={view.name} class="row option"><Link to={`/jobs${view.search}`} class="grow" onClick={close}>{view.name}</Link><button type="button" class="icon-btn" aria-label={`Forget the view ${view.name}`} onClick={() => choose({ views: views.filter((one) => one !== view) })}><Icon name="close" /></button></div>)}
        <hr />
        <form class="row option" onSubmit={(event) => {
          event.preventDefault();
          const search = new URLSearchParams(location.search);
          search.delete("page");
          if (name.trim()) { choose({ views: [...views.filter((one) => one.name !== name.trim()), { name: name.trim(), search: `?${search.toString()}` }] }); setName(""); note("View saved in this browser"); close(); }
        }}>
          <input class="input" aria-label={t("Name of the view")} placeholder={terms.length > 0 ? "Save this filter as…" : "Save this view as…"} maxLength={60} value={name} onInput={(event) => setName(event.currentTarget.value)} /><button class="btn small">{t("Save")}</button>
        </form>
      </>}
    </Menu>
  );
}

function Look(): JSX.Element {
  const chosen = choices.value.columns;
  return (
    <Menu label={t("Columns")} icon="columns" right>
      {() => <>
        {columns.map((column) => <label key={column.key}><input type="checkbox" checked={chosen.includes(column.key)} onChange={() => choose({ columns: chosen.includes(column.key) ? chosen.filter((one) => one !== column.key) : [...chosen, column.key] })} />{column.title}</label>)}
        <hr />
        <div class="row option"><Toggle name="Density" value={choices.value.density} options={[["comfortable", "Roomy"], ["compact", "Dense"]]} onChange={(density) => choose({ density })} /></div>
        <div class="row option"><Toggle name="Rows" value={String(choices.value.pageSize)} options={[["50", "50"], ["100", "100"], ["500", "500"]]} onChange={(size) => choose({ pageSize: Number(size) })} /></div>
      </>}
    </Menu>
  );
}

interface Bulk { title: string; act: string; jobs: string[]; run: (id: string) => Promise<unknown>; says: string }

// One call a job: eight at once, and every refusal is told.
async function each(jobs: string[], run: (id: string) => Promise<unknown>): Promise<void> {
  const faults: string[] = [], waiting = [...jobs];
  const worker = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try { await run(id); } catch (fault) { faults.push(fault instanceof Error ? fault.message : String(fault)); }
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  if (faults.length > 0) throw new Error(`${counted(jobs.length - faults.length, "job")} done, ${figure(faults.length)} refused: ${[...new Set(faults)].slice(0, 3).join(" ")}`);
  note(`${counted(jobs.length, "job")} done`);
}

function Actions({ selection, rows, clear, gone, reread }: { selection: select.Selection; rows: Row[]; clear: () => void; reread: (ids: string[]) => void; gone: (ids: string[]) => void }): JSX.Element | null {
  const [bulk, setBulk] = useState<Bulk | null>(null);
  const ids = [...selection.ids], most = system.value?.limits.delete_ids ?? 1000;
  if (ids.length === 0 && !bulk) return null;
  const statusOf = new Map(rows.map((row) => [row.job_id, row.status]));
  const with_ = (wanted: JobStatus[]): string[] => ids.filter((id) => { const status = statusOf.get(id); return status !== undefined && wanted.includes(status); });
  const stoppable = with_(["running", "queued", "scheduled"]), again = with_(["failed", "cancelled", "scheduled"]);
  return (
    <>
      <div class="actions" role="toolbar" aria-label={t("Selected jobs")}>
        <b>{figure(ids.length)}{" "}{t("selected")}</b>
        {may("jobs:write") && stoppable.length > 0 && <button type="button" class="btn" onClick={() => setBulk({ title: `Cancel ${counted(stoppable.length, "job")}?`, act: `Cancel ${counted(stoppable.length, "job")}`, jobs: stoppable, run: (id) => call("cancel_job", { params: [id] }), says: "They are stopped; their records stay." })}>{t("Cancel")}{" "}{figure(stoppable.length)}</button>}
        {may("jobs:write") && again.length > 0 && <button type="button" class="btn" onClick={() => setBulk({ title: `Run ${counted(again.length, "job")} again?`, act: `Run ${counted(again.length, "job")}`, jobs: again, run: (id) => call("retry_job", { params: [id] }), says: "Failed and cancelled jobs are queued again, scheduled ones start now." })}>{t("Run")}{" "}{figure(again.length)}{" "}{t("again")}</button>}
        <button type="button" class="btn ghost" onClick={() => void copyText(ids.join("\n"), counted(ids.length, "id"))}>{t("Copy ids")}</button>
        {may("jobs:delete") && <button type="button" class="btn danger" disabled={ids.length > most} title={ids.length > most ? `One delete takes ${figure(most)} ids; use the filter for more.` : "Del"} onClick={() => askDelete(ids, gone)}>{t("Delete")}{" "}{figure(ids.length)}…</button>}
        <button type="button" class="icon-btn" aria-label={t("Clear the selection")} onClick={clear}><Icon name="close" /></button>
      </div>
      {bulk && <Confirm title={bulk.title} act={bulk.act} run={() => each(bulk.jobs, bulk.run).finally(() => reread(bulk.jobs)).then(clear)} onClose={() => setBulk(null)}>{bulk.says}</Confirm>}
    </>
  );
}

const nobody: Row[] = [];

/** The list: loaded by the URL, changed by events, moved by nobody. */
function useRows(key: string, query: Record<string, string | number> | null): { reread: (ids: string[]) => void; loaded: ReturnType<typeof useLoad<JobPage>>; rows: Row[]; newer: number; forget: (ids: string[]) => void } {
  const loaded = useLoad((stop) => query === null ? new Promise<never>(() => undefined) : call("list_jobs", { query: { ...query, fields }, signal: stop }), key);
  const [rows, setRows] = useState<Row[]>([]), [newer, setNewer] = useState(0);
  const current = useRef<Row[]>([]);
  current.current = rows;
  useEffect(() => {
    if (!loaded.data) return;
    setRows(loaded.data.jobs.map((job) => ({ ...job, job_id: job.job_id ?? "" })));
    setNewer(0);
  }, [loaded.data]);
  const first = query !== null && !query["page_token"], queue = typeof query?.["queue"] === "string" ? query["queue"] : null, reload = useRef(loaded.reload);
  reload.current = loaded.reload;
  // What no event tells, as a run again by hand, is read of the jobs themselves; their rows stay where they are.
  const reread = (ids: string[]): void => {
    for (const id of ids.slice(0, 200)) void call("get_job", { params: [id], query: { fields } }).then((job) => setRows((old) => old.map((row) => row.job_id === id ? { ...job, job_id: id } : row)), () => undefined);
  };
  useEffect(() => {
    let created: LiveEvent[] = [], due = 0;
    const forget = watch((events) => {
      reread(toRead(current.current, events));
      setRows((old) => apply(old, events));
      if (!first) return;
      created = [...created.filter((event) => !current.current.some((row) => row.job_id === event.job_id)), ...events.filter((event) => event.type === "job.created" || event.type === "job.deleted")].slice(-5000);
      const n = fresh(current.current, created, queue);
      if (n === 0) return;
      // Nobody holds a row: the list may move.
      const held = asked.value !== null || document.querySelector(".jobs tr:hover, .jobs tr.is-chosen, .jobs tr:focus-within, .actions, .jobs tr.is-cursor") !== null || scrollY > 80;
      if (held || n > 200) setNewer(n);
      else if (!due) due = window.setTimeout(() => { due = 0; created = []; reload.current(); }, 1000);
    });
    return () => { forget(); clearTimeout(due); };
  }, [key, first, queue]);
  return { reread, loaded, rows: loaded.data === null ? nobody : rows, newer, forget: (ids) => { const gone = new Set(ids); setRows((old) => old.map((row) => gone.has(row.job_id) ? { ...row, gone: true } : row)); } };
}

export function Jobs(): JSX.Element {
  const query = place.value.query, status = query.get("status") ?? "", q = query.get("q") ?? "", page = query.get("page") ?? "";
  const { terms, faults } = useMemo(() => parse(q, serverNow()), [q]);
  // A filter of which a part cannot be understood is wider than what was meant: nothing is asked, shown or deleted by the rest of it.
  const faulty = faults.length > 0;
  const queue = terms.find((term) => term.field === "queue")?.value ?? null;
  const onlyQueue = terms.length === 0 || (terms.length === 1 && queue !== null);
  const counts = useCounts(queue);
  const [selection, setSelection] = useState(select.nothing), [cursor, setCursor] = useState<string | null>(null), [adding, setAdding] = useState(false), [byFilter, setByFilter] = useState(false);
  const ask: Record<string, string | number> = { page_size: choices.value.pageSize };
  if (terms.length > 0) ask["filter"] = forApi(terms, serverNow());
  if (status) ask["status"] = status;
  if (page) ask["page_token"] = page;
  const key = `jobs ${status} ${q} ${page} ${choices.value.pageSize}`;
  const { reread, loaded, rows, newer, forget } = useRows(key, faulty ? null : ask);
  useEffect(() => { setSelection(select.nothing); setCursor(null); }, [key]);
  const order = rows.filter((row) => !row.gone).map((row) => row.job_id), latest = useRef({ order, cursor, selection, rows });
  latest.current = { order, cursor, selection, rows };

  const pick = (id: string, wide: boolean): void => { setCursor(id); setSelection((old) => wide ? select.extend(old, id, order) : select.toggle(old, id)); };
  const gone = (ids: string[]): void => {
    const { order: before, cursor: at } = latest.current, dead = new Set(ids);
    forget(ids);
    setSelection((old) => select.without(old, ids));
    const next = at && dead.has(at) ? before.slice(before.indexOf(at)).find((id) => !dead.has(id)) ?? before.filter((id) => !dead.has(id)).at(-1) ?? null : at;
    setCursor(next);
    if (ids.length > 0) goingTo.current = next ?? before.find((id) => !dead.has(id)) ?? "";
  };
  // When the dialog has gone, the next row that is left gets the focus; when none is left, the title.
  const goingTo = useRef<string | null>(null), isAsking = asked.value !== null;
  useEffect(() => {
    if (isAsking || goingTo.current === null) return;
    setCursor(goingTo.current || null);
    if (goingTo.current) focusRow(goingTo.current);
    else requestAnimationFrame(() => document.querySelector<HTMLElement>("main h1")?.focus());
    goingTo.current = null;
  }, [isAsking]);

  useEffect(() => {
    const move = (by: number, wide: boolean): void => {
      const { order: ids, cursor: at, selection: chosen } = latest.current;
      if (ids.length === 0) return;
      const next = ids[Math.min(ids.length - 1, Math.max(0, (at === null ? (by > 0 ? -1 : ids.length) : ids.indexOf(at)) + by))] ?? null;
      setCursor(next);
      focusRow(next);
      if (wide && next) setSelection(select.extend(chosen.anchor === null && at ? select.toggle(chosen, at) : chosen, next, ids));
    };
    const open = (): void => { const at = latest.current.cursor; if (at) go(linkTo("jobs", at)); };
    const erase = (): void => {
      const { selection: chosen, cursor: at } = latest.current;
      if (may("jobs:delete")) askDelete(chosen.ids.size > 0 ? [...chosen.ids] : at ? [at] : [], gone);
    };
    const list = "List of jobs";
    return bind([
      { keys: "j", title: "Next", group: list, run: () => move(1, false) }, { keys: "k", title: "Previous", group: list, run: () => move(-1, false) },
      { keys: "ArrowDown", title: "Next", group: list, run: () => move(1, false) }, { keys: "ArrowUp", title: "Previous", group: list, run: () => move(-1, false) },
      { keys: "x", title: "Select", group: list, run: () => { const at = latest.current.cursor; if (at) setSelection((old) => select.toggle(old, at)); } },
      { keys: "Shift+ArrowDown", title: "Select downwards", group: list, run: () => move(1, true) }, { keys: "Shift+ArrowUp", title: "Select upwards", group: list, run: () => move(-1, true) },
      { keys: "Ctrl+a", title: "Select the page", group: list, run: () => setSelection((old) => select.page(old, latest.current.order)) },
      { keys: "Enter", title: "Open", group: list, run: open }, { keys: "/", title: "Filter", group: list, run: () => document.querySelector<HTMLInputElement>("#filter")?.focus() },
      { keys: "Escape", title: "Clear the selection", group: list, run: () => { setSelection(select.nothing); setCursor(null); } },
      { keys: "Delete", title: "Delete…", group: list, run: erase }, { keys: "#", title: "Delete…", group: list, run: erase },
      ...(may("jobs:write") ? [{ keys: "n", title: "New job", group: list, run: () => setAdding(true) }] : []),
    ]);
  }, []);
  useEffect(() => { if (selection.ids.size > 0) say(`${counted(selection.ids.size, "job")} selected`); }, [selection]);

  const known = { queue: [...new Set(rows.map((row) => row.queue ?? ""))], kind: system.value?.kinds.map((kind) => kind.name) ?? [], tag: [...new Set(rows.flatMap((row) => row.tags ?? []))], project: [...new Set(rows.map((row) => row.project ?? ""))] };
  const isFirst = counts?.total === 0 && terms.length === 0 && !page && rows.length === 0;
  const wholePage = !faulty && order.length > 0 && order.every((id) => selection.ids.has(id)) && (loaded.data?.next_page_token ?? "") !== "";
  return (
    <>
      <Head title={t("Jobs")} sub={counts && <>{figure(counts.total)}{queue ? ` in ${queue}` : " in the store"}<span class="wide-only">{" "}{t("· counts as of")}{" "}{clockTime(counts.asOf, choices.value.zone)}</span></>}>
        {may("jobs:write") && <button type="button" class="btn" onClick={() => setAdding(true)}><Icon name="plus" />{t("New job")}</button>}
      </Head>
      <Tabs status={status} counts={onlyQueue ? counts?.counts ?? null : null} />
      <div class="toolbar">
        <FilterBar terms={terms} known={known} onChange={(next) => go(withQuery({ q: textOf(next) || null, page: null }))} />
        <Views terms={terms} /><Look />
        {faults.length > 0 && <p class="danger-text small" role="alert" style={{ flexBasis: "100%" }}>{faults.join(" ")}</p>}
      </div>
      {faulty ? <NotUnderstood to={linkTo("jobs")} all={t("Show all jobs")} /> : isFirst ? <FirstRun onAdd={() => setAdding(true)} /> : (
        <Card>
          {newer > 0 && <div class="newer"><button type="button" class="btn small" onClick={loaded.reload}>{counted(newer, "new job")}</button></div>}
          {wholePage && offers("delete_preview") && may("jobs:delete:filter") && <div class="strip"><span>{t("All of this page are selected:")}{" "}{figure(order.length)}.</span><button type="button" class="btn small" onClick={() => setByFilter(true)}>{t("Select all that match")}</button></div>}
          <Shown of={loaded} rows={12}>
            {(data) => rows.length === 0 && data.jobs.length === 0
              ? <Empty icon="jobs" title={terms.length > 0 ? "No job matches" : `No job is ${status ? status.split(",").map((one) => statusTitle(one as JobStatus)).join(" or ") : "here"}`}>
                  <p>{terms.length > 0 ? "Take a part of the filter away, or look in all statuses." : "It appears here as soon as there is one."}</p>
                  {(terms.length > 0 || status) && <Link to={linkTo("jobs")} class="btn">{t("Show all jobs")}</Link>}
                </Empty>
              : <JobsTable rows={rows} selection={selection} cursor={cursor} search="" onPick={pick} onPickPage={() => setSelection(select.page(selection, order))} onCursor={setCursor} />}
          </Shown>
          {loaded.data && (page || loaded.data.next_page_token) && (
            <div class="more">
              {page && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("Newest")}</Link>}
              <span>{counted(rows.length, "job")}{" "}{t("on this page")}{state.value === "paused" ? `, read at ${clockTime(new Date(loaded.at).toISOString(), choices.value.zone)}` : ""}</span>
              {loaded.data.next_page_token && <Link to={withQuery({ page: loaded.data.next_page_token })} class="btn small">{t("Older")}<Icon name="next" /></Link>}
            </div>
          )}
        </Card>
      )}
      <Actions selection={selection} rows={rows} clear={() => setSelection(select.nothing)} gone={gone} reread={reread} />
      {adding && <NewJob onClose={() => setAdding(false)} />}
      {byFilter && <FilterDelete terms={status ? [...terms, { field: "status", op: ":", value: status }] : terms} onClose={() => { setByFilter(false); setSelection(select.nothing); loaded.reload(); }} />}
    </>
  );
}

function focusRow(id: string | null): void {
  if (!id) return;
  requestAnimationFrame(() => {
    const row = document.querySelector<HTMLElement>(`tr[data-job="${CSS.escape(id)}"]`);
    row?.querySelector<HTMLElement>("th a")?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  });
}
