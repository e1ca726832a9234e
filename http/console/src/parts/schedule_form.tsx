// A schedule made or changed: when, what, and what becomes of times that are missed or overlap. The server says what is wrong with it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { NewSchedule, Problem, Schedule } from "../api.ts";
import { cronWords } from "../rules/cron_words.ts";
import { call, problemFrom } from "../state/client.ts";
import { may, system } from "../state/session.ts";
import { Dialog } from "./dialog.tsx";
import { Toggle, Trouble } from "./kit.tsx";
import { t } from "../state/words.ts";

type Way = "cron" | "every" | "at";
const overlaps = [["allow", "run beside it"], ["skip", "leave it out"], ["queue_one", "run one when it ends"], ["cancel_old", "cancel the old one"]] as const;
const misfires = [["once", "run the last one"], ["skip", "leave them out"], ["all", "run each"]] as const;

const zoneHere = (): string => { try { return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"; } catch { return "UTC"; } };
const localInput = (iso: string | null): string => { if (!iso) return ""; const at = new Date(iso); return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16); };
const intervalText = (seconds: number | null): string => seconds === null ? "15m" : seconds % 86_400 === 0 ? `${seconds / 86_400}d` : seconds % 3600 === 0 ? `${seconds / 3600}h` : seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;

function useForm(begun: Schedule | null) {
  const [way, setWay] = useState<Way>(begun?.every !== null && begun !== null ? "every" : begun?.at ? "at" : "cron");
  const [form, setForm] = useState({
    name: begun?.name ?? "", cron: begun?.cron ?? "0 3 * * *", every: intervalText(begun?.every ?? null), at: localInput(begun?.at ?? null), zone: begun?.zone ?? zoneHere(), group: begun?.group ?? "",
    overlap: begun?.overlap ?? "allow", misfire: begun?.misfire ?? "once", kind: begun?.job.kind ?? "noop", args: JSON.stringify(begun?.job.args ?? {}, null, 2), queue: begun?.job.queue ?? "",
  });
  const put = (name: keyof typeof form) => (event: { currentTarget: { value: string } }): void => setForm({ ...form, [name]: event.currentTarget.value });
  return { way, setWay, form, put };
}

export function ScheduleForm({ begun, onClose, onDone }: { begun: Schedule | null; onClose: () => void; onDone: (made: Schedule) => void }): JSX.Element {
  const { way, setWay, form, put } = useForm(begun), [problem, setProblem] = useState<Problem | null>(null), [busy, setBusy] = useState(false);
  const kinds = [...new Set([form.kind, ...(system.value?.kinds ?? []).filter((kind) => kind.scope === "" || may(kind.scope)).map((kind) => kind.name)])];
  let args: unknown = null, fault = "";
  try { args = JSON.parse(form.args || "{}") as unknown; } catch (thrown) { fault = thrown instanceof Error ? thrown.message : String(thrown); }
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || fault) return;
    setBusy(true);
    setProblem(null);
    const job = { ...begun?.job, kind: form.kind, args: args as Record<string, unknown>, ...(form.queue.trim() || begun?.job.queue ? { queue: form.queue.trim() || "default" } : {}) };
    const when: Pick<NewSchedule, "cron" | "every" | "at"> = way === "cron" ? { cron: form.cron } : way === "every" ? { every: form.every } : { at: form.at ? new Date(form.at).toISOString() : "" };
    const body = { name: form.name, zone: form.zone, overlap: form.overlap, misfire: form.misfire, job, ...when, ...(form.group.trim() || begun?.group ? { group: form.group.trim() } : {}) };
    try { onDone(begun ? await call("update_schedule", { params: [begun.task_uuid], body, ifMatch: begun.etag }) : await call("create_schedule", { body })); } catch (thrown) { setProblem(problemFrom(thrown)); setBusy(false); }
  };
  const wrongCron = problem !== null && (problem.code === "invalid-cron" || (problem.errors?.some((one) => one.pointer === "/cron") ?? false));
  const words = cronWords(form.cron);
  return (
    <Dialog title={begun ? "Change the schedule" : "New schedule"} wide onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="schedule" class="btn primary" disabled={busy}>{begun ? "Save" : "Make the schedule"}</button></>}>
      <form id="schedule" class="stack" onSubmit={(event) => void save(event)}>
        <div class="pair"><label class="field"><span>{t("Name")}</span><input class="input" data-first required maxLength={256} value={form.name} onInput={put("name")} /></label><label class="field"><span>{t("Group")}</span><input class="input" maxLength={128} placeholder={t("none")} value={form.group} onInput={put("group")} /></label></div>
        <Toggle name="When" value={way} options={[["cron", "By cron"], ["every", "Each so often"], ["at", "Once"]]} onChange={setWay} />
        <div class="pair">
          {way === "cron" && <label class="field"><span>{t("Cron expression")}</span><input class="input mono" required spellcheck={false} aria-invalid={wrongCron} aria-describedby="cron-words" value={form.cron} onInput={put("cron")} /><small id="cron-words">{words || "minute, hour, day, month, weekday"}</small></label>}
          {way === "every" && <label class="field"><span>{t("Interval")}</span><input class="input" required placeholder="90s, 15m, 2h, 1d" value={form.every} onInput={put("every")} /></label>}
          {way === "at" && <label class="field"><span>{t("Time, on this computer’s clock")}</span><input class="input" type="datetime-local" required value={form.at} onInput={put("at")} /></label>}
          <label class="field"><span>{t("Time zone")}</span><input class="input" required value={form.zone} onInput={put("zone")} /></label>
        </div>
        <div class="pair"><label class="field"><span>{t("Kind")}</span><select class="input" value={form.kind} onChange={put("kind")}>{kinds.map((kind) => <option key={kind} value={kind}>{kind}</option>)}</select></label><label class="field"><span>{t("Queue")}</span><input class="input" placeholder={t("default")} value={form.queue} onInput={put("queue")} /></label></div>
        <label class="field"><span>{t("Arguments (JSON)")}</span><textarea class="input" rows={4} spellcheck={false} aria-invalid={fault !== ""} aria-describedby="schedule-fault" value={form.args} onInput={put("args")} /><small id="schedule-fault" class={fault ? "danger-text" : ""}>{fault}</small></label>
        <div class="pair"><label class="field"><span>{t("While its last job waits or runs")}</span><select class="input" value={form.overlap} onChange={put("overlap")}>{overlaps.map(([key, text]) => <option key={key} value={key}>{text}</option>)}</select></label><label class="field"><span>{t("Times that nobody was there for")}</span><select class="input" value={form.misfire} onChange={put("misfire")}>{misfires.map(([key, text]) => <option key={key} value={key}>{text}</option>)}</select></label></div>
      </form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}
