// Bringing deleted jobs back from their copies: one, the chosen ones, or all that one delete erased.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Problem, Restored } from "../api.ts";
import { restoredText, restoreWords } from "../rules/copies.ts";
import { linkTo } from "../rules/links.ts";
import { counted } from "../rules/times.ts";
import { call, problemFrom } from "../state/client.ts";
import { note, say } from "../state/says.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { Link, shortId, Status, Trouble } from "./kit.tsx";
import { t } from "../state/words.ts";

type Wanted = ({ jobs: string[] } | { deleteId: string }) & { done: () => void };
export const restoring = signal<Wanted | null>(null);

export function askRestore(jobs: string[], done: () => void = () => undefined): void {
  if (jobs.length > 0) restoring.value = { jobs, done };
}
export function askUndo(deleteId: string, done: () => void = () => undefined): void {
  restoring.value = { deleteId, done };
}

function Outcome({ done, onClose }: { done: Restored; onClose: () => void }): JSX.Element {
  const shown = done.outcomes.slice(0, 100);
  return <>
    {done.failed > 0 && <div class="alert"><Icon name="warn" /><div><p><b>{counted(done.failed, "job")}{" "}{t("did not come back.")}</b></p><p>{t("What stands beside each says why; the rest is as it was.")}</p></div></div>}
    <ul class="sample" tabIndex={0} aria-label={t("What became of each")}>{shown.map((one) => <li key={one.job_id}><Link to={linkTo("jobs", one.existing_job_id ?? one.job_id)} class="id" onClick={onClose}>{shortId(one.job_id)}</Link><span class={`grow ${one.outcome === "restored" ? "muted" : "warn-text"}`}>{restoreWords[one.outcome]}</span>{one.status && <Status status={one.status} />}</li>)}</ul>
    {(done.outcomes_cut || done.outcomes.length > shown.length) && <p class="small faint">{t("Not all are listed; those that did not come back stand first.")}</p>}
  </>;
}

export function RestoreDialog({ wanted, onClose }: { wanted: Wanted; onClose: () => void }): JSX.Element {
  const [rerun, setRerun] = useState(false), [dropKey, setDropKey] = useState(false), [busy, setBusy] = useState(false), [done, setDone] = useState<Restored | null>(null), [problem, setProblem] = useState<Problem | null>(null);
  const run = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    const options = { rerun, drop_key: dropKey };
    try {
      const found = "jobs" in wanted ? await call("restore_jobs", { body: { job_ids: wanted.jobs, ...options } }) : await call("undo_deletion", { params: [wanted.deleteId], body: options });
      setDone(found);
      say(restoredText(found));
      if (found.restored > 0) note(restoredText(found).replace(/\.$/, ""));
      wanted.done();
    } catch (fault) { setProblem(problemFrom(fault)); setBusy(false); }
  };
  if (done) return <Dialog title={restoredText(done).replace(/\.$/, "")} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn primary" autofocus onClick={onClose}>{t("Done")}</button></>}><Outcome done={done} onClose={onClose} /></Dialog>;
  const title = "jobs" in wanted ? `Bring ${counted(wanted.jobs.length, "job")} back?` : "Undo this delete?";
  return (
    <Dialog title={title} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" data-first onClick={onClose}>{t("Cancel")}</button><button type="button" class="btn primary" disabled={busy} onClick={() => void run()}>{busy ? "Working…" : "jobs" in wanted ? `Bring ${counted(wanted.jobs.length, "job")} back` : "Undo the delete"}</button></>}>
      <p class="muted">{"jobs" in wanted ? "" : "All that it erased and a copy is kept of comes back. "}{t("What had ended is as it was, what waited waits again, and what was running comes back cancelled, so that nothing starts by itself.")}</p>
      <label class="check"><input type="checkbox" checked={rerun} onChange={() => setRerun(!rerun)} />{t("Queue again what was running")}</label>
      <label class="check"><input type="checkbox" checked={dropKey} onChange={() => setDropKey(!dropKey)} />{t("Without its unique key where another job has it now")}</label>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}
