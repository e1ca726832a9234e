// What this browser likes, the freeze, tokens, and what this server is.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Problem, Token } from "../api.ts";
import { Confirm, Dialog } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Card, Code, Head, Shown, Time, Toggle, Trouble } from "../parts/kit.tsx";
import { bytes, figure } from "../rules/times.ts";
import { choices, choose } from "../state/choices.ts";
import { call, problemFrom } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { note } from "../state/says.ts";
import { allProjects, may, refreshSystem, system, who } from "../state/session.ts";
import { t } from "../state/words.ts";

function Look(): JSX.Element {
  const own = choices.value;
  return (
    <Card title={t("This browser")}>
      <div class="choice-row"><span>{t("Theme")}</span><Toggle name="Theme" value={own.theme} options={[["system", "System"], ["light", "Light"], ["dark", "Dark"], ["contrast", "High contrast"]]} onChange={(theme) => choose({ theme })} /></div>
      <div class="choice-row"><span>{t("Rows")}</span><Toggle name="Density" value={own.density} options={[["comfortable", "Roomy"], ["compact", "Dense"]]} onChange={(density) => choose({ density })} /></div>
      <div class="choice-row"><span>{t("Times")}</span><Toggle name="Time zone" value={own.zone} options={[["local", "Where I am"], ["utc", "UTC"]]} onChange={(zone) => choose({ zone })} /></div>
      <div class="choice-row"><span>{t("Changes")}</span><Toggle name="Live" value={own.live ? "live" : "paused"} options={[["live", "Live"], ["paused", "When I ask"]]} onChange={(live) => choose({ live: live === "live" })} /></div>
      <div class="choice-row"><span>{t("Language")}</span><Toggle name={t("Language")} value={own.language} options={[["en", "English"], ["de", "Deutsch"]]} onChange={(language) => choose({ language })} /></div>
      <div class="choice-row"><span>{t("Single letters as keys")}</span><Toggle name="Letters" value={own.letters ? "on" : "off"} options={[["on", "On"], ["off", "Off"]]} onChange={(letters) => choose({ letters: letters === "on" })} /></div>
    </Card>
  );
}

function Freeze(): JSX.Element | null {
  const [asking, setAsking] = useState(false), frozen = system.value?.deletions.frozen;
  if (frozen === undefined || !may("system:write") || !allProjects()) return null;
  return (
    <Card title={t("Deletions")}>
      <div class="choice-row"><span>{frozen ? "Frozen" : "Allowed"}</span><div class="row wrap"><span class="muted grow">{frozen ? "Every new delete is refused on every node. What was marked before goes on." : "A freeze refuses every new delete on every node, until it is lifted."}</span><button type="button" class={`btn ${frozen ? "primary" : "outline-danger"}`} onClick={() => setAsking(true)}>{frozen ? "Let them go on…" : "Freeze…"}</button></div></div>
      {asking && <Confirm title={frozen ? "Let deletions go on?" : "Freeze all deletions?"} reason danger={!frozen} act={frozen ? "Let them go on" : "Freeze deletions"} onClose={() => setAsking(false)} run={(reason) => call("freeze_deletions", { body: { frozen: !frozen, reason } }).then(async () => { await refreshSystem(); note(frozen ? "Deletions go on" : "Deletions are frozen"); })}>{t("A reason is needed; everybody reads it in the audit log.")}</Confirm>}
    </Card>
  );
}

function NewToken({ onClose, onDone }: { onClose: () => void; onDone: (token: Token) => void }): JSX.Element {
  const [name, setName] = useState(""), [role, setRole] = useState<"viewer" | "operator" | "admin">("viewer"), [days, setDays] = useState("90"), [problem, setProblem] = useState<Problem | null>(null);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const body: Record<string, unknown> = { name, role };
    if (days) body["expires_s"] = Number(days) * 86400;
    try { onDone(await call("create_token", { body })); } catch (fault) { setProblem(problemFrom(fault)); }
  };
  return (
    <Dialog title={t("New token")} onClose={onClose} foot={<><span class="grow" /><button type="button" class="btn" onClick={onClose}>{t("Cancel")}</button><button form="token" class="btn primary">{t("Make it")}</button></>}>
      <form id="token" class="stack" onSubmit={(event) => void save(event)}>
        <label class="field"><span>{t("Name")}</span><input class="input" data-first required value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <div class="field"><span>{t("Role")}</span><Toggle name="Role" value={role} options={[["viewer", "Viewer"], ["operator", "Operator"], ["admin", "Admin"]]} onChange={setRole} /><small>{t("A viewer reads. An operator submits, cancels and pauses too. Only an admin deletes.")}</small></div>
        <label class="field"><span>{t("Days until it expires")}</span><input class="input" inputMode="numeric" value={days} onInput={(event) => setDays(event.currentTarget.value)} /><small>{t("Empty: never.")}</small></label>
      </form>
      {problem && <Trouble problem={problem} />}
    </Dialog>
  );
}

function Tokens(): JSX.Element {
  const found = useLoad((stop) => call("list_tokens", { signal: stop }), "tokens"), [adding, setAdding] = useState(false), [made, setMade] = useState<Token | null>(null), [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <Card title={t("Tokens")} aside={<><span class="grow" /><button type="button" class="btn small" onClick={() => setAdding(true)}><Icon name="plus" />{t("New token")}</button></>}>
      <Shown of={found} rows={3}>{(data) => <div class="scroll"><table class="cards"><caption class="unseen">{t("Tokens")}</caption><thead><tr><th scope="col">{t("Name")}</th><th scope="col">{t("May")}</th><th scope="col">{t("Project")}</th><th scope="col">{t("Last used")}</th><th scope="col">{t("Expires")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{data.tokens.map((token) => <tr key={token.token_id}><th scope="row"><b class="cut">{token.name}</b></th><td data-label={t("May")} class="muted wide">{token.role ?? token.scopes.join(", ")}</td><td data-label={t("Project")} class="muted">{token.project ?? "all"}</td><td data-label={t("Last used")} class="muted">{token.last_used_at ? <Time at={token.last_used_at} /> : "never"}</td><td data-label={t("Expires")} class="muted">{token.expires_at ? <Time at={token.expires_at} /> : "never"}</td><td class="num"><button type="button" class="btn small outline-danger" onClick={() => setRevoking(token)}>{t("Revoke…")}</button></td></tr>)}</tbody></table></div>}</Shown>
      {adding && <NewToken onClose={() => setAdding(false)} onDone={(token) => { setAdding(false); setMade(token); found.reload(); }} />}
      {made && <Dialog title={`Token ${made.name}`} onClose={() => setMade(null)} foot={<><span class="grow" /><button type="button" class="btn primary" data-first onClick={() => setMade(null)}>{t("I have it")}</button></>}><p class="muted">{t("It is shown this once, and kept nowhere.")}</p><Code value={made.token ?? ""} what={t("Token")} /></Dialog>}
      {revoking && <Confirm title={`Revoke ${revoking.name}?`} danger act={t("Revoke the token")} onClose={() => setRevoking(null)} run={() => call("revoke_token", { params: [revoking.token_id] }).then(() => { note("Token revoked"); found.reload(); })}>{t("It lets nobody in any more, and the sessions that it opened end at once.")}</Confirm>}
    </Card>
  );
}

function About(): JSX.Element | null {
  const it = system.value;
  if (!it) return null;
  return (
    <Card title={t("This server")}><div class="body stack"><dl class="facts">
      <dt>{t("Version")}</dt><dd>{it.version}</dd><dt>{t("Store")}</dt><dd class="mono">{it.store.url}</dd><dt>{t("Size")}</dt><dd>{bytes(it.store.bytes)}{t(", schema")}{" "}{it.store.schema}{it.store.replicated && ", replicated"}</dd>
      <dt>{t("Node")}</dt><dd class="mono">{it.node_id}</dd><dt>{t("Kinds")}</dt><dd>{it.kinds.map((kind) => kind.name).join(", ")}</dd><dt>{t("One delete takes")}</dt><dd>{figure(it.limits.delete_ids)} ids</dd>
      <dt>{t("You")}</dt><dd>{who.value?.name}{who.value?.project ? ` in project ${who.value.project}` : ""}: {who.value?.scopes.join(", ")}</dd><dt>{t("Made with")}</dt><dd>{t("Preact and uPlot (both MIT)")}</dd>
    </dl><details class="fold"><summary>{t("Public key of its receipts")}</summary><Code value={it.public_key} what={t("Public key")} /></details></div></Card>
  );
}

export function Settings(): JSX.Element {
  return <><Head title={t("Settings")} /><div class="settings"><Look /><Freeze />{may("tokens:write") && <Tokens />}<About /></div></>;
}
