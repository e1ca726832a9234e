// Deleting all that match: a preview from the server, the number typed, an operation that can be left and found again.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { JobStatus, Preview, Problem } from "../api.ts";
import { forApi, inWords, type Term } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import { counted, exact, figure } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { serverNow } from "../state/clock.ts";
import { call, isUnreachable, problemFrom } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { go } from "../state/place.ts";
import { useOnce } from "../state/once.ts";
import { useKept, keptWords } from "../state/retention.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icons.tsx";
import { Link, Shown, shortId, Status, Trouble } from "./kit.tsx";
import { t } from "../state/words.ts";

// The API takes no empty filter. What is newer than the preview is left out by the server's own clock, never by ours.
const everything = 'created_at<"9999-01-01T00:00:00Z"';

const runsFirst = ([a]: [string, number], [b]: [string, number]): number => Number(b === "running") - Number(a === "running");

function Found({ data }: { data: Preview }): JSX.Element {
  const groups = data.groups.slice(0, 6), rest = data.groups.length - groups.length;
  return <>
    <dl class="facts boxed">
      {Object.entries(data.counts).filter(([, n]) => n > 0).sort(runsFirst).map(([status, n]) => <><dt><Status status={status as JobStatus} /></dt><dd>{figure(n)}</dd></>)}
      {data.groups.length > 1 && <><dt>{t("Where")}</dt><dd>{groups.map((group) => <div key={`${group.queue} ${group.kind}`}>{figure(group.n)} <span class="muted">{group.kind} in {group.queue}{group.running > 0 && `, ${figure(group.running)} running`}</span></div>)}{(rest > 0 || data.groups_are_cut) && <div class="muted">{t("and more")}</div>}</dd></>}
    </dl>
    {data.sample.length > 0 && <ul class="sample" tabIndex={0} aria-label={`${data.sample.length} of them`}>{data.sample.map((job) => <li key={job.job_id}><span class="id">{shortId(job.job_id)}</span><span class="muted grow">{job.kind} in {job.queue}</span><Status status={job.status} /></li>)}</ul>}
  </>;
}

export function FilterDelete({ terms: given, onClose }: { terms: Term[]; onClose: () => void }): JSX.Element {
  // What is asked, what is said and what is deleted are one: the filter as it was when this opened, whatever the page behind it shows now.
  const [{ terms, at }] = useState(() => ({ terms: given, at: serverNow() })), filter = forApi(terms, at) || everything;
  const once = useOnce(), [typed, setTyped] = useState(""), [reason, setReason] = useState(""), [noCopy, setNoCopy] = useState(false), [problem, setProblem] = useState<Problem | null>(null), [busy, setBusy] = useState(false);
  const preview = useLoad((stop) => call("delete_preview", { body: { filter, verb: "delete" }, signal: stop }), `preview ${filter}`), kept = useKept();
  const total = preview.data?.total ?? 0, matches = typed.replace(/[,\s.]/g, "") === String(total), why = reason.trim(), frozen = preview.data?.frozen ?? false;
  const run = async (): Promise<void> => {
    if (!preview.data || !matches || !why || busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const body = { filter, confirm_token: preview.data.confirm_token, expected_count: total, confirm: true, reason: why, ...(noCopy ? { archive: false } : {}) };
      const made = await call("delete_by_filter", { body, once: once(body) });
      onClose();
      if ("operation_id" in made) go(linkTo("operations", made.operation_id));
    } catch (fault) {
      setProblem(problemFrom(fault));
      setBusy(false);
      // What may have been done is counted anew, and the number typed anew.
      if (isUnreachable(fault)) { setTyped(""); preview.reload(); }
    }
  };
  const again = (): void => { setTyped(""); setProblem(null); preview.reload(); };
  const words = keptWords(kept, [...new Set(preview.data?.groups.map((group) => group.queue) ?? [])], preview.data?.groups_are_cut ?? false);
  return (
    <Dialog title={preview.data ? `Delete ${counted(total, "job")}?` : "Delete all that match?"} alert wide onClose={onClose} foot={<>
      {total > 0 && words.kept && <label class="check muted"><input type="checkbox" checked={noCopy} onChange={() => setNoCopy(!noCopy)} />{t("keep no copy")}</label>}<span class="grow" />
      <button type="button" class="btn" data-first onClick={onClose}>{t("Keep them")}</button><button type="button" class="btn danger" disabled={!matches || !why || busy || frozen || total === 0} onClick={() => void run()}>{preview.data ? `Delete ${counted(total, "job")}` : "Delete"}</button></>}>
      <p class="muted">{terms.length === 0 ? "Every job." : `All ${inWords(terms, (iso) => exact(iso, choices.value.zone), at)}.`}{" "}{t("Runs are stopped, slots given back.")}{preview.data && ` Jobs created after ${exact(preview.data.as_of, choices.value.zone).slice(11)} are not included.`}</p>
      {frozen && <div class="alert"><Icon name="pause" /><div><p><b>{t("Deletions are frozen.")}</b></p><p>{t("Somebody with the scope")}{" "}<code>system:write</code>{" "}{t("can let them go on, in Settings.")}</p></div></div>}
      {preview.data?.dry_run && <div class="alert info"><Icon name="info" /><div>{t("This server only says what would go, and deletes nothing (dry_run).")}</div></div>}
      <Shown of={preview} rows={4}>{(data) => data.total === 0 ? <p>{t("Nothing matches any more. Nothing is left to do.")}</p> : <>
        <Found data={data} />
        <label class="field"><span>{t("Reason (kept in the audit log)")}</span><input class="input" name="reason" required value={reason} maxLength={1024} autocomplete="off" onInput={(event) => setReason(event.currentTarget.value)} /></label>
        <label class="field"><span>{t("To go on, type the number")}{" "}{figure(total)}</span><input class="input" inputMode="numeric" autocomplete="off" value={typed} aria-invalid={typed !== "" && !matches} onInput={(event) => setTyped(event.currentTarget.value)} /></label>
        <p class="small faint">{noCopy ? "No copy is kept. This cannot be undone." : words.text}</p>
      </>}</Shown>
      {problem && <Trouble problem={problem} {...(problem.code === "preview-stale" ? { again } : {})} />}
      {problem?.status === 0 && <p class="muted">{t("If it was done, it stands among the operations; what still matches is counted anew.")}{" "}<Link to={linkTo("operations")} onClick={onClose}>{t("Operations")}</Link></p>}
      {problem?.code === "deletion-hold" && <p class="muted">{t("It waits until somebody with the scope")}{" "}<code>alerts:write</code>{" "}{t("approves it.")}{" "}<Link to={linkTo("alerts")} onClick={onClose}>{t("Alerts")}</Link></p>}
    </Dialog>
  );
}
