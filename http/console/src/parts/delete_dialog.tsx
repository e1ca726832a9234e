// The delete, from the question to the receipt. Nothing is optimistic: what is shown is what the server said.
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../api.ts";
import { isOver } from "../rules/deletion.ts";
import { counted, exact, figure, relative } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call, Fault, isUnreachable, problemFrom } from "../state/client.ts";
import { dismiss, erase, unconfirmed, type Going, type Order } from "../state/deletes.ts";
import { watch } from "../state/live.ts";
import { now } from "../state/now.ts";
import { useOnce } from "../state/once.ts";
import { say } from "../state/says.ts";
import { useKept, keptWords } from "../state/retention.ts";
import { may, offers, system } from "../state/session.ts";
import { FactsList, happens, readFacts, type Facts } from "./delete_facts.tsx";
import { headline, Progress } from "./delete_progress.tsx";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { shortId, Skeleton, Trouble } from "./kit.tsx";
import { askUndo } from "./restore.tsx";
import { ReceiptButtons, useReceiptCheck } from "./receipt.tsx";
import { t } from "../state/words.ts";

interface Asked { jobs: string[]; done: (deleted: string[]) => void }
export const asked = signal<Asked | null>(null);

/** Opens the dialog; `done` hears afterwards which jobs are gone. */
export function askDelete(jobs: string[], done: (deleted: string[]) => void = () => undefined): void {
  if (jobs.length > 0) asked.value = { jobs, done };
}

const changes = new Set(["job.started", "job.succeeded", "job.failed", "job.cancelled", "job.retrying", "job.delete_requested", "job.deleted"]);

/** How many of the jobs did something since the facts were read. */
function useChanged(jobs: string[], since: number): number {
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    setChanged(new Set());
    const ours = new Set(jobs);
    return watch((events) => {
      const hit = events.filter((event) => event.job_id && ours.has(event.job_id) && changes.has(event.type));
      if (hit.length > 0) setChanged((old) => new Set([...old, ...hit.map((event) => event.job_id ?? "")]));
    });
  }, [jobs, since]);
  return changed.size;
}

function tombstoneText(problem: Problem): string {
  const by = problem.deleted_by ? ` by ${problem.deleted_by.replace(/^token:/, "").replace(/#.*$/, "")}` : "";
  const when = problem.deleted_at ? relative(Date.parse(problem.deleted_at), now.value) : "earlier";
  return `Deleted${by} ${when === "now" ? "just now" : when}. Nothing is left to do.`;
}

/** A read that fails behind a delete that may have been done does not take that sentence away. */
function after(old: { in: string; problem: Problem } | null, problem: Problem): Problem {
  return old?.in === "delete" ? { ...problem, title: old.problem.title, detail: `${old.problem.detail ?? ""} ${problem.title}` } : problem;
}

export function DeleteDialog({ jobs, done, onClose }: Asked & { onClose: () => void }): JSX.Element {
  const [facts, setFacts] = useState<Facts | null>(null);
  // Which act failed: what failed in reading may be read again by a button, a delete only by the red one.
  const [failed, setFailed] = useState<{ in: "read" | "delete"; problem: Problem } | null>(null), problem = failed?.problem ?? null;
  const [turn, setTurn] = useState(0);
  const [reason, setReason] = useState("");
  const [noCopy, setNoCopy] = useState(false);
  const [going, setGoing] = useState<Going | null>(null);
  const [goneBy, setGoneBy] = useState<Problem | null>(null);
  const [verdict, checkReceipt] = useReceiptCheck();
  const once = useOnce(), sent = useRef(false), open = useRef(true);
  const changed = useChanged(jobs, turn), keeps = keptWords(useKept(), facts?.job?.queue ? [facts.job.queue] : [], !facts?.job?.queue);
  useEffect(() => () => { open.current = false; }, []);
  // The button that was pressed is gone; the focus goes to the one that closes.
  const isGoing = going !== null;
  useEffect(() => { if (isGoing) document.querySelector<HTMLElement>("dialog[open] [data-first]")?.focus(); }, [isGoing]);

  useEffect(() => {
    const stop = new AbortController();
    setFailed((old) => old?.in === "read" ? null : old);
    readFacts(jobs, stop.signal).then(setFacts, (fault: unknown) => { if (!stop.signal.aborted) setFailed((old) => ({ in: "read", problem: after(old, problemFrom(fault)) })); });
    return () => stop.abort();
  }, [jobs, turn]);

  const run = async (): Promise<void> => {
    if (sent.current || !facts || failed?.in === "read") return;
    sent.current = true;
    setFailed(null);
    const order: Order = { jobs: facts.there, was: facts.was, reason, archive: noCopy ? false : null, once };
    const end = await erase(order, (next) => { if (open.current) setGoing(next); });
    const gone = [...end.stages.values()].filter((stage) => stage.fate === "deleted" || stage.fate === "already_gone").map((stage) => stage.job);
    done(gone);
    if (end.fault) {
      dismiss(end);
      sent.current = false;
      // Nobody looks at this any more, or logged out under it: the banner above every page says it.
      if (!open.current || (end.fault instanceof Fault && end.fault.status === 401)) { unconfirmed.value = { jobs: order.jobs, problem: problemFrom(end.fault) }; if (open.current) onClose(); return; }
      setGoing(null);
      // What may have been done is looked at, before anybody asks for it again.
      if (isUnreachable(end.fault)) setTurn((old) => old + 1);
      return setFailed({ in: "delete", problem: problemFrom(end.fault) });
    }
    say(headline(end));
    if (!open.current) return;
    const [only] = end.stages.values();
    if (end.stages.size === 1 && only?.fate === "already_gone") {
      await call("get_job", { params: [only.job] }).catch((fault: unknown) => { if (fault instanceof Fault && fault.status === 410) setGoneBy(fault.problem); });
    }
  };

  const close = (): void => {
    open.current = false;
    if (going && isOver(going.stages)) dismiss(going);
    onClose();
  };

  const n = facts ? facts.there.length : jobs.length;
  if (going) {
    const finished = going.over;
    return (
      <Dialog title={headline(going)} alert onClose={close} foot={<>
        <span class="grow" />
        {finished && going.deleteId && [...going.stages.values()].some((stage) => stage.copyUntil !== null) && offers("undo_deletion") && may("jobs:write") && <button type="button" class="btn" onClick={() => { const id = going.deleteId!; close(); askUndo(id); }}>{t("Undo…")}</button>}
        {going.receipt && <ReceiptButtons receipt={going.receipt} name={going.deleteId ?? "delete"} onCheck={() => void checkReceipt(going.receipt!)} />}
        <button type="button" class="btn primary" data-first onClick={close}>{finished ? "Done" : "Close"}</button>
      </>}>
        <Progress going={going} verdict={verdict} goneBy={goneBy ? tombstoneText(goneBy) : null} onOpen={close} />
      </Dialog>
    );
  }

  const [only = ""] = jobs;
  const title = facts?.tombstone ? `Job ${shortId(only)} is deleted` : jobs.length === 1 ? `Delete job ${shortId(only)}?` : `Delete ${counted(n, "job")}?`;
  const frozen = system.value?.deletions.frozen ?? false, dry = system.value?.deletions.dry_run ?? false;
  const act = n === 1 ? "Delete job" : `Delete ${figure(n)} jobs`;
  return (
    <Dialog title={title} alert onClose={close} describedBy="delete-happens" foot={facts?.tombstone ? <><span class="grow" /><button type="button" class="btn primary" data-first onClick={() => { done(jobs); close(); }}>{t("Close")}</button></> : <>
      {keeps.kept && <label class="check muted"><input type="checkbox" checked={noCopy} onChange={() => setNoCopy(!noCopy)} />{t("keep no copy")}</label>}
      <span class="grow" />
      <button type="button" class="btn" data-first onClick={close}>{jobs.length === 1 ? "Keep it" : "Keep them"}</button>
      <button type="button" class="btn danger" disabled={!facts || n === 0 || frozen || failed?.in === "read"} onClick={() => void run()}>{act}</button>
    </>}>
      <p id="delete-happens" class="muted">{facts?.tombstone ? tombstoneText(facts.tombstone) : facts ? n === 0 ? "All of them are deleted already. Nothing is left to do." : happens(facts) : "Reading what is true now…"}</p>
      {frozen && <div class="alert"><Icon name="pause" /><div><p><b>{t("Deletions are frozen.")}</b></p><p>{t("Somebody with the scope")}{" "}<code>system:write</code>{" "}{t("can let them go on, in Settings.")}</p></div></div>}
      {dry && <div class="alert info"><Icon name="info" /><div>{t("This server only says what would go, and deletes nothing (dry_run).")}</div></div>}
      {!facts && !problem && <Skeleton rows={3} />}
      {facts && !facts.tombstone && <FactsList facts={facts} />}
      {changed > 0 && !facts?.tombstone && <div class="alert info"><Icon name="info" /><div>{counted(changed, "job")}{" "}{t("changed since this was read.")}</div><button type="button" class="btn small" onClick={() => setTurn(turn + 1)}>{t("Read again")}</button></div>}
      {problem && <Trouble problem={problem} {...(failed?.in === "read" ? { again: () => setTurn(turn + 1) } : {})} />}
      {problem?.code === "deletion-hold" && <p class="muted">{t("More was deleted in a short time than usual, so the next large delete waits for somebody with the scope")}{" "}<code>alerts:write</code>{t("; see Alerts.")}</p>}
      {facts && !facts.tombstone && n > 0 && <label class="field"><span>{t("Reason (kept in the audit log)")}</span><input class="input" name="reason" value={reason} maxLength={1024} autocomplete="off" onInput={(event) => setReason(event.currentTarget.value)} /></label>}
      {facts && !facts.tombstone && n > 0 && <p class="small faint">{t("Read at")}{" "}{exact(facts.at, choices.value.zone).slice(11)}. {noCopy ? "No copy is kept. This cannot be undone." : keeps.text}</p>}
    </Dialog>
  );
}
