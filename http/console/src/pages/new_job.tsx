// A job by hand: its kind, its arguments, and the line for curl that does the same.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { NewJob as Body, Problem } from "../api.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Code, Trouble } from "../parts/kit.tsx";
import { linkTo } from "../rules/links.ts";
import { withMember } from "../rules/raw_json.ts";
import { tagsOf, tagsText } from "../rules/tags.ts";
import { call, prefix, problemFrom } from "../state/client.ts";
import { useOnce } from "../state/once.ts";
import { go } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may, system } from "../state/session.ts";
import { t } from "../state/words.ts";

const examples: Record<string, unknown> = {
  sleep: { seconds: 600 }, noop: {}, http: { url: "https://example.org" }, llm: { url: "https://api.example.com/v1/chat/completions", model: "a-model", messages: [{ role: "user", content: "Summarise this." }] },
  exec: { argv: ["/bin/echo", "hello"] }, workflow: { steps: [{ kind: "noop" }] },
};

/** What a form begins with: the arguments as text, with every digit, and what it has no field for. */
export interface Begun { kind: string; args: string; queue: string; tags: string[]; more: Partial<Body> }

export function JobForm({ id, onDone, begun }: { id: string; onDone: (job: string) => void; begun?: Begun }): JSX.Element {
  const kinds = (system.value?.kinds ?? [{ name: "sleep", scope: "", sentence: null }]).filter((kind) => kind.scope === "" || may(kind.scope));
  const [kind, setKind] = useState(begun?.kind ?? (kinds.some((one) => one.name === "sleep") ? "sleep" : kinds[0]?.name ?? "noop"));
  const [args, setArgs] = useState(begun?.args ?? JSON.stringify(examples[kind] ?? {}, null, 2)), [queue, setQueue] = useState(begun?.queue ?? ""), [tags, setTags] = useState(tagsText(begun?.tags ?? []));
  const [problem, setProblem] = useState<Problem | null>(null), [busy, setBusy] = useState(false);
  const once = useOnce();
  let fault = "";
  try { JSON.parse(args || "{}"); } catch (thrown) { fault = thrown instanceof Error ? thrown.message : String(thrown); }
  const body: Record<string, unknown> = { kind, ...begun?.more };
  if (queue.trim()) body["queue"] = queue.trim();
  const words = tagsOf(tags), more = Object.entries(begun?.more ?? {});
  if (words.length > 0) body["tags"] = words;
  const sent = withMember(body, "args", fault ? "null" : args || "{}");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy || fault) return;
    setBusy(true);
    setProblem(null);
    try {
      const made = await call("submit_job", { text: sent, once: once(sent) });
      note("Job submitted");
      onDone(made.job_id);
    } catch (thrown) { setProblem(problemFrom(thrown)); setBusy(false); }
  };
  const sentence = kinds.find((one) => one.name === kind)?.sentence;
  const curl = `curl -H "Authorization: Bearer $(cat admin.token)" ${location.origin}${prefix}/api/v1/jobs \\\n  --json '${sent.replace(/'/g, "'\\''")}'`;
  return (
    <form id={id} class="stack" onSubmit={(event) => void submit(event)}>
      <label class="field"><span>{t("Kind")}</span><select class="input" name="kind" data-first value={kind} onChange={(event) => { setKind(event.currentTarget.value); setArgs(JSON.stringify(examples[event.currentTarget.value] ?? {}, null, 2)); }}>{kinds.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}</select>{sentence && <small>{sentence}</small>}</label>
      <label class="field"><span>{t("Arguments (JSON)")}</span><textarea class="input" name="args" rows={Math.min(12, Math.max(4, args.split("\n").length + 1))} spellcheck={false} aria-invalid={fault !== ""} aria-describedby={`${id}-fault`} value={args} onInput={(event) => setArgs(event.currentTarget.value)} /><small id={`${id}-fault`} class={fault ? "danger-text" : ""}>{fault}</small></label>
      <div class="row wrap"><label class="field grow"><span>{t("Queue")}</span><input class="input" name="queue" placeholder={t("default")} value={queue} onInput={(event) => setQueue(event.currentTarget.value)} /></label><label class="field grow"><span>{t("Tags, with commas")}</span><input class="input" name="tags" value={tags} onInput={(event) => setTags(event.currentTarget.value)} /></label></div>
      {more.length > 0 && <p class="small faint">{t("As the job has it:")}{" "}{more.map(([name, value]) => `${name} ${String(value)}`).join(", ")}</p>}
      {problem && <Trouble problem={problem} />}
      <details class="fold"><summary>{t("The same with curl")}</summary><Code value={curl} what={t("curl line")} /></details>
      <button class="unseen" tabIndex={-1} aria-hidden="true">{t("Submit")}</button>
    </form>
  );
}

export function NewJob({ onClose, begun }: { onClose: () => void; begun?: Begun }): JSX.Element {
  return (
    <Dialog title={begun ? "Submit a copy" : "New job"} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="new-job" class="btn primary">{t("Submit job")}</button></>}>
      <JobForm id="new-job" {...(begun ? { begun } : {})} onDone={(job) => { onClose(); go(linkTo("jobs", job)); }} />
    </Dialog>
  );
}
