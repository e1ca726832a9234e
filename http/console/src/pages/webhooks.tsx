// Endpoints that are told how jobs end, and what was sent to each.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Delivery, Problem, Webhook } from "../api.ts";
import { Deliveries } from "../parts/deliveries.tsx";
import { Confirm, Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Back, Card, Code, Empty, Head, Link, Shown, Time, Trouble } from "../parts/kit.tsx";
import { linkTo } from "../rules/links.ts";
import { figure } from "../rules/times.ts";
import { call, problemFrom } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { place, withQuery, go } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may } from "../state/session.ts";
import { t } from "../state/words.ts";

const kinds = ["job.created", "job.succeeded", "job.failed", "job.cancelled", "job.retrying", "job.deleted"];

function Secret({ text, onClose }: { text: string; onClose: () => void }): JSX.Element {
  return <Dialog title={t("The endpoint’s secret")} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn primary" data-first onClick={onClose}>{t("I have it")}</button></>}><p class="muted">{t("It signs each message, and is shown this once.")}</p><Code value={text} what={t("Secret")} /></Dialog>;
}

function Form({ begun, onClose, onDone }: { begun: Webhook | null; onClose: () => void; onDone: (made: Webhook) => void }): JSX.Element {
  const [url, setUrl] = useState(begun?.url ?? ""), [description, setDescription] = useState(begun?.description ?? ""), [events, setEvents] = useState<string[]>(begun?.events ?? ["job.failed"]), [problem, setProblem] = useState<Problem | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    try { onDone(begun ? await call("update_webhook", { params: [begun.webhook_id], body: { url, description, events } }) : await call("create_webhook", { body: { url, description, events } })); } catch (fault) { setProblem(problemFrom(fault)); }
  };
  return (
    <Dialog title={begun ? "Change the endpoint" : "New endpoint"} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="endpoint" class="btn primary">{begun ? "Save" : "Register"}</button></>}>
      <form id="endpoint" class="stack" onSubmit={(event) => void save(event)}>
        <label class="field"><span>{t("URL")}</span><input class="input" data-first type="url" required placeholder={t("https://example.org/hook")} value={url} onInput={(event) => setUrl(event.currentTarget.value)} /></label>
        <label class="field"><span>{t("What it is for")}</span><input class="input" maxLength={512} value={description} onInput={(event) => setDescription(event.currentTarget.value)} /></label>
        <fieldset class="field" style={{ border: 0, padding: 0, margin: 0 }}><legend class="muted">{t("Told of")}</legend><div class="row wrap">{kinds.map((kind) => <label key={kind} class="check"><input type="checkbox" checked={events.includes(kind)} onChange={() => setEvents(events.includes(kind) ? events.filter((one) => one !== kind) : [...events, kind])} />{kind}</label>)}</div><small>{t("None chosen: all.")}</small></fieldset>
      </form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}

const State = ({ hook }: { hook: Webhook }): JSX.Element => !hook.enabled ? <span class="st wait">{hook.disabled_because ?? "off"}</span> : hook.failing_since ? <span class="st bad">{t("failing")}</span> : <span class="st ok">on</span>;

export function Webhooks(): JSX.Element {
  const found = useLoad((stop) => call("list_webhooks", { signal: stop }), "webhooks"), [adding, setAdding] = useState(false), [secret, setSecret] = useState<string | null>(null);
  return (
    <>
      <Head title={t("Webhooks")} sub={t("who is told how jobs end")}>{may("webhooks:write") && <button type="button" class="btn" onClick={() => setAdding(true)}><Icon name="plus" />{t("New endpoint")}</button>}</Head>
      <Card><Shown of={found}>{(data) => data.webhooks.length === 0 ? <Empty icon="webhooks" title={t("No endpoint yet")}><p>{t("An endpoint is told when jobs end or are deleted, with a signature. A job may also name a URL of its own.")}</p>{may("webhooks:write") && <button type="button" class="btn" onClick={() => setAdding(true)}>{t("Register one")}</button>}</Empty>
        : <div class="scroll"><table class="cards"><caption class="unseen">{t("Endpoints")}</caption><thead><tr><th scope="col">{t("URL")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Told of")}</th><th scope="col">{t("Project")}</th><th scope="col">{t("What it is for")}</th><th scope="col" class="num">{t("Made")}</th></tr></thead><tbody>{data.webhooks.map((hook) => <tr key={hook.webhook_id}><th scope="row"><Link to={linkTo("webhooks", hook.webhook_id)}><span class="cut">{hook.url}</span></Link></th><td data-label={t("State")}><State hook={hook} /></td><td data-label={t("Told of")} class="muted wide">{hook.events.length === 0 ? "everything" : hook.events.join(", ")}</td><td data-label={t("Project")} class="muted">{hook.project}</td><td data-label={t("What it is for")} class="muted wide">{hook.description}</td><td data-label={t("Made")} class="num muted"><Time at={hook.created_at} /></td></tr>)}</tbody></table></div>}</Shown></Card>
      {adding && <Form begun={null} onClose={() => setAdding(false)} onDone={(made) => { setAdding(false); setSecret(made.secret ?? null); found.reload(); }} />}
      {secret !== null && <Secret text={secret} onClose={() => setSecret(null)} />}
    </>
  );
}

/** Of those on the page that have ended: what an endpoint is worth at a glance. */
function Rate({ list }: { list: Delivery[] }): JSX.Element | null {
  const over = list.filter((one) => !one.in_flight && !one.next_try), fine = over.filter((one) => { const status = (one.last_reply as { status?: number } | null)?.status ?? 0; return status >= 200 && status < 300; });
  return over.length === 0 ? null : <small>{figure(fine.length)}{" "}{t("of the last")}{" "}{figure(over.length)}{" "}{t("arrived")}</small>;
}

export function WebhookPage({ id }: { id: string }): JSX.Element {
  const before = place.value.query.get("before") ?? "";
  const found = useLoad((stop) => call("get_webhook", { params: [id], signal: stop }), `webhook ${id}`), sent = useLoad((stop) => call("webhook_deliveries", { params: [id], query: { before, limit: 50 }, signal: stop }), `sent ${id} ${before}`, (event) => event.type.startsWith("job.") && event.type !== "job.progress");
  const [asking, setAsking] = useState<"edit" | "rotate" | "remove" | null>(null), [secret, setSecret] = useState<string | null>(null), [problem, setProblem] = useState<Problem | null>(null);
  const act = (run: Promise<unknown>, says: string): void => void run.then(() => { note(says); found.reload(); sent.reload(); }, (fault: unknown) => setProblem(problemFrom(fault)));
  const hook = found.data;
  return (
    <>
      <Back to="webhooks" title={t("Webhooks")} />
      <div class="job-head"><h1 tabIndex={-1}>{hook?.url ?? "Endpoint"}</h1>{hook && <State hook={hook} />}<span class="grow" />
        {hook && may("webhooks:write") && <><button type="button" class="btn" onClick={() => act(call("test_webhook", { params: [id] }), "Test sent")}>{t("Send a test")}</button><button type="button" class="btn" onClick={() => act(call("update_webhook", { params: [id], body: { enabled: !hook.enabled } }), hook.enabled ? "Switched off" : "Switched on")}>{hook.enabled ? "Switch off" : "Switch on"}</button><button type="button" class="btn" onClick={() => setAsking("edit")}>{t("Change…")}</button><button type="button" class="btn" onClick={() => setAsking("rotate")}>{t("New secret…")}</button><button type="button" class="btn outline-danger" onClick={() => setAsking("remove")}>{t("Remove…")}</button></>}
      </div>
      {problem && <Trouble problem={problem} />}
      <div class="stack">
        <Shown of={found} rows={2}>{(one) => <p class="muted">{one.description}{one.description && " · "}{t("told of")}{" "}{one.events.length === 0 ? "everything" : one.events.join(", ")}{one.failing_since && <> · <span class="danger-text">{t("fails since")}{" "}<Time at={one.failing_since} /></span></>}{one.old_secret_until && <>{" "}{t("· the old secret signs too until")}{" "}<Time at={one.old_secret_until} plain /></>}</p>}</Shown>
        <Card title={t("Deliveries")} aside={sent.data && <Rate list={sent.data.deliveries} />}><Shown of={sent}>{(data) => data.deliveries.length === 0 ? <Empty icon="webhooks" title={t("Nothing was sent yet")}><p>{t("A test shows at once whether the receiver answers.")}</p></Empty> : <><Deliveries list={data.deliveries} reload={sent.reload} withJob />{(before || data.next_before) && <div class="more">{before && <Link to={withQuery({ before: null })} class="btn small">{t("Newest")}</Link>}{data.next_before && <Link to={withQuery({ before: data.next_before })} class="btn small">{t("Older")}</Link>}</div>}</>}</Shown></Card>
      </div>
      {asking === "edit" && hook && <Form begun={hook} onClose={() => setAsking(null)} onDone={() => { setAsking(null); found.reload(); }} />}
      {asking === "rotate" && <Confirm title={t("Make a new secret?")} act={t("Make a new secret")} onClose={() => setAsking(null)} run={() => call("rotate_webhook", { params: [id] }).then((made) => { setSecret(made.secret ?? null); found.reload(); })}>{t("For a while both the old and the new one sign, so that the receiver can change over.")}</Confirm>}
      {asking === "remove" && <Confirm title={t("Remove this endpoint?")} danger act={t("Remove the endpoint")} onClose={() => setAsking(null)} run={() => call("remove_webhook", { params: [id] }).then(() => { note("Endpoint removed"); go(linkTo("webhooks")); })}>{t("It is told nothing more; waiting deliveries to it are dropped.")}</Confirm>}
      {secret !== null && <Secret text={secret} onClose={() => setSecret(null)} />}
    </>
  );
}
