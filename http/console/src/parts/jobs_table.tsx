// The rows. They change in place; the list never moves under the hand of whoever reads it.
import type { JSX } from "preact";
import { useRef, useEffect } from "preact/hooks";
import type { Row } from "../rules/events.ts";
import { pageState, type Selection } from "../rules/selection.ts";
import { linkTo } from "../rules/links.ts";
import { choices } from "../state/choices.ts";
import { may } from "../state/session.ts";
import { Bar, Link, shortId, Status, Time, Took } from "./kit.tsx";
import { workerName } from "../state/worker_names.ts";
import { t } from "../state/words.ts";

export interface Column { key: string; title: string; num?: boolean; cell: (job: Row) => JSX.Element | string | null }

function noteOf(job: Row): JSX.Element | string | null {
  if (job.status === "failed" && job.error) return <span class="cut" title={job.error.detail ?? job.error.code}>{job.error.detail ?? job.error.code}</span>;
  if (job.deletion) return <span class="cut">{job.deletion.last_error ?? (job.deletion.open_holders ? "its run is being stopped" : "is being erased")}</span>;
  if (job.status === "scheduled" && job.run_at) return <>{job.attempt ? "next try " : "starts "}<Time at={job.run_at} /></>;
  return job.current_phase && job.status === "running" ? <span class="cut">{job.current_phase}</span> : null;
}

export const columns: Column[] = [
  { key: "kind", title: "Kind", cell: (job) => <span class="strike">{job.kind}</span> },
  { key: "queue", title: "Queue", cell: (job) => <span class="cut">{job.queue}</span> },
  { key: "status", title: "Status", cell: (job) => job.status ? <Status status={job.status} gone={job.gone ?? false} /> : null },
  { key: "progress", title: "Progress", cell: (job) => typeof job.progress === "number" && job.status === "running" ? <span class="nowrap"><Bar part={job.progress} label={t("Progress")} /> <span class="muted">{Math.round(job.progress * 100)} %</span></span> : null },
  { key: "note", title: "What it does", cell: noteOf },
  { key: "age", title: "Age", num: true, cell: (job) => <Time at={job.created_at} /> },
  { key: "took", title: "Took", num: true, cell: (job) => <Took from={job.started_at} to={job.finished_at} /> },
  { key: "worker", title: "Worker", cell: (job) => job.worker_id ? <span title={job.worker_id}>{workerName(job.worker_id)}</span> : null },
  { key: "attempt", title: "Attempt", num: true, cell: (job) => job.max_attempts && job.max_attempts > 1 ? `${job.attempt} of ${job.max_attempts}` : null },
  { key: "priority", title: "Priority", num: true, cell: (job) => String(job.priority ?? "") },
  { key: "tags", title: "Tags", cell: (job) => <>{job.tags?.slice(0, 3).map((tag) => <span key={tag} class="tag">{tag}</span>)}{(job.tags?.length ?? 0) > 3 && ` +${(job.tags?.length ?? 0) - 3}`}</> },
  { key: "project", title: "Project", cell: (job) => job.project ?? null },
];

export interface TableProps {
  rows: Row[]; selection: Selection; cursor: string | null; onPick: (id: string, extend: boolean) => void; onPickPage: () => void; onCursor: (id: string) => void; search: string;
}

export function JobsTable({ rows, selection, cursor, onPick, onPickPage, onCursor, search }: TableProps): JSX.Element {
  const shown = columns.filter((column) => choices.value.columns.includes(column.key));
  const all = useRef<HTMLInputElement>(null);
  const order = rows.filter((row) => !row.gone).map((row) => row.job_id);
  const page = pageState(selection, order);
  useEffect(() => { if (all.current) all.current.indeterminate = page === "some"; }, [page]);
  const picks = may("jobs:delete") || may("jobs:write");
  return (
    <div class="scroll">
      <table class="jobs cards">
        <caption class="unseen">{t("Jobs, newest first")}</caption>
        <thead><tr>
          {picks && <th class="pick"><label><input ref={all} type="checkbox" aria-label={t("Select this page")} checked={page === "all"} onChange={onPickPage} /></label></th>}
          <th scope="col">{t("Job")}</th>
          {shown.map((column) => <th key={column.key} scope="col" class={column.num ? "num" : ""} aria-sort={column.key === "age" ? "descending" : undefined}>{t(column.title)}</th>)}
        </tr></thead>
        <tbody>
          {rows.map((job) => {
            const chosen = selection.ids.has(job.job_id), going = job.status === "pending_delete";
            return (
              <tr key={job.job_id} data-job={job.job_id} class={`${chosen ? "is-chosen " : ""}${job.gone ? "is-gone " : going ? "is-going " : ""}${cursor === job.job_id ? "is-cursor" : ""}`} onClick={() => onCursor(job.job_id)}>
                {picks && <td class="pick"><label><input type="checkbox" aria-label={`Select job ${shortId(job.job_id)}`} checked={chosen} disabled={(job.gone ?? false) && !chosen} onClick={(event) => { event.stopPropagation(); onPick(job.job_id, event.shiftKey); }} /></label></td>}
                <th scope="row"><Link to={job.gone ? linkTo("trace", null, { id: job.job_id }) : linkTo("jobs", job.job_id) + search} class="id strike" title={job.job_id} onFocus={() => onCursor(job.job_id)}>{shortId(job.job_id)}</Link></th>
                {shown.map((column) => {
                  const cell = column.cell(job);
                  return <td key={column.key} data-label={t(column.title)} class={`${column.num ? "num " : ""}${column.key === "kind" || column.key === "status" ? "" : "muted "}${cell === null ? "none" : ""}`}>{cell}</td>;
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
