// A delete as it happens: five steps with totals, then what became of each job, problems first, and the receipt.
import type { JSX } from "preact";
import { isOver, isProven, proofText, steps, verdictWords, type Stage } from "../rules/deletion.ts";
import { counted, exact, figure, relative, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import type { Going } from "../state/deletes.ts";
import { now } from "../state/now.ts";
import { Icon } from "./icons.tsx";
import { linkTo } from "../rules/links.ts";
import { Link, shortId } from "./kit.tsx";
import { ReceiptPayload, VerdictLine } from "./receipt.tsx";
import type { Verdict } from "../rules/receipt.ts";
import { t } from "../state/words.ts";

export function Steps({ going }: { going: Pick<Going, "stages" | "receipt"> }): JSX.Element {
  const words = { done: "done", now: "under way", ahead: "not yet", none: "nothing to do" };
  return (
    <ol class="steps" aria-label={t("Steps of the delete")}>
      {steps(going.stages, going.receipt !== null).map((step) => (
        <li key={step.name} class={`is-${step.state}`} aria-label={`${t(step.title)}: ${t(words[step.state])}`}>
          {step.state === "done" && <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2 6.300 4.800 9l5.200-6" fill="none" stroke="currentColor" stroke-width="2.200" stroke-linecap="round" stroke-linejoin="round" /></svg>}
          {t(step.title)}
          <small>{step.name === "receipt" ? step.state === "done" ? "signed" : step.of === 0 ? "none" : "to come" : step.of === 0 ? "none ran" : `${figure(step.done)} of ${figure(step.of)}`}</small>
        </li>
      ))}
    </ol>
  );
}

export function headline(going: Going): string {
  const stages = [...going.stages.values()], deleted = stages.filter((one) => one.fate === "deleted").length;
  if (!isOver(going.stages)) return going.deleteId ? `Deleting ${counted(stages.length, "job")}` : `Deleting ${counted(stages.length, "job")}…`;
  const failed = stages.filter((one) => one.fate === "failed").length;
  if (failed > 0) return deleted > 0 ? `${counted(deleted, "job")} deleted, ${figure(failed)} refused` : `${counted(failed, "job")} not deleted`;
  if (deleted === 0) return stages.length === 1 ? "Already deleted" : "All were deleted already";
  return `${counted(deleted, "job")} deleted`;
}

function summary(going: Going): string {
  const stages = [...going.stages.values()];
  const ran = stages.filter((one) => one.fate === "deleted" && one.was === "running").length;
  const waited = stages.filter((one) => one.fate === "deleted" && (one.was === "queued" || one.was === "scheduled")).length;
  const already = stages.filter((one) => one.fate === "already_gone" || one.fate === "not_found").length;
  const parts = [
    ran > 0 && `${counted(ran, "run")} stopped, ${counted(ran, "slot")} back`, waited > 0 && `${counted(waited, "queue entry", "queue entries")} removed`,
    already > 0 && `${figure(already)} gone before`, going.took !== null && `in ${span(going.took)}`,
  ].filter((part): part is string => typeof part === "string");
  const said = `${parts.join(", ")}.`;
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function Problems({ stages }: { stages: Stage[] }): JSX.Element | null {
  if (stages.length === 0) return null;
  return (
    <ul class="sample" aria-label={t("Jobs that need a look")}>
      {stages.slice(0, 100).map((stage) => (
        <li key={stage.job}><span class="id">{shortId(stage.job)}</span><span class="muted">
          {stage.problem ?? (stage.fate === "failed" ? "was refused" : stage.mark && !stage.stop ? "its run is being stopped; nothing new of it can start" : "is on its way")}
          {stage.nextTry && `; tried again ${relative(Date.parse(stage.nextTry), now.value)}`}
        </span></li>
      ))}
    </ul>
  );
}

export function Progress({ going, verdict, goneBy, onOpen }: { going: Going; verdict: Verdict | null; goneBy: string | null; onOpen: () => void }): JSX.Element {
  const stages = [...going.stages.values()], over = isOver(going.stages);
  const troubled = stages.filter((stage) => stage.fate === "failed" || (stage.fate === "going" && (stage.problem !== null || Date.now() - going.began > 3000)));
  const unproven = stages.filter((stage) => stage.verdict && !isProven(stage.verdict));
  const deleted = stages.some((stage) => stage.fate === "deleted"), copy = stages.find((stage) => stage.copyUntil)?.copyUntil ?? null;
  const proof = proofText(going.stages);
  return (
    <>
      {goneBy && <p class="muted">{goneBy}</p>}
      {over && deleted && <p class="muted">{summary(going)}{" "}{t("Nothing of")}{" "}{stages.length === 1 ? "it" : "them"}{" "}{t("will start again.")}</p>}
      {!over && <p class="muted">{going.deleteId ? t("It goes on in the server, also when this is closed; the top bar shows how far it is.") : t("Sent; the server has not answered yet. Keep this open.")}</p>}
      {(deleted || !over) && <Steps going={going} />}
      <Problems stages={troubled} />
      {unproven.length > 0 && <div class="alert"><Icon name="warn" /><div><p><b>{counted(unproven.length, "job")}{" "}{t("without proof.")}</b></p><p>{verdictWords[unproven[0]?.verdict ?? ""] ?? "Whether the run is down is not known"}.</p></div></div>}
      {over && deleted && (
        <dl class="facts boxed">
          {proof && <><dt>{t("Proof")}</dt><dd>{proof}</dd></>}
          {copy && <><dt>{t("Copy")}</dt><dd>{t("kept until")}{" "}{exact(copy, choices.value.zone)}</dd></>}
          <dt>{t("Receipt")}</dt><dd>{going.receipt && going.deleteId ? <Link to={linkTo("deletions", going.deleteId)} class="mono" onClick={onOpen}>{going.deleteId}</Link> : "on its way"}</dd>
        </dl>
      )}
      {verdict && <VerdictLine verdict={verdict} />}
      {going.receipt && <ReceiptPayload receipt={going.receipt} />}
    </>
  );
}
