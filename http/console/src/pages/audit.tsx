// Who did what, in a chain that cannot be changed unseen; the badge says whether it holds.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Audit as Page, AuditCheck } from "../api.ts";
import { Icon } from "../parts/icons.tsx";
import { Card, Code, download, Empty, Head, Link, Shown, shortId, Time } from "../parts/kit.tsx";
import { isId, linkTo } from "../rules/links.ts";
import { counted, figure } from "../rules/times.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { place, withQuery } from "../state/place.ts";
import { nameOf } from "./trace.tsx";
import { t } from "../state/words.ts";

const size = 100;

function Badge({ check }: { check: AuditCheck }): JSX.Element {
  return check.holds
    ? <span class="st ok" role="status"><Icon name="check" />{t("the chain holds:")}{" "}{counted(check.sealed, "entry", "entries")}{" "}{t("sealed")}{check.waiting > 0 && `, ${figure(check.waiting)} to come`}</span>
    : <span class="st bad" role="alert"><Icon name="warn" />{t("the chain is broken")}{check.fault_no !== undefined && ` at entry ${check.fault_no}`}: {check.fault}</span>;
}

function target(ref: string, what: string): JSX.Element | string {
  if (!isId(ref)) return ref;
  if (what.includes("delet") && !what.startsWith("job.")) return <Link to={linkTo("deletions", ref)} class="id">{shortId(ref)}</Link>;
  if (what.startsWith("webhook.")) return <Link to={linkTo("webhooks", ref)} class="id">{shortId(ref)}</Link>;
  if (what.startsWith("worker.")) return <span class="mono">{shortId(ref)}</span>;
  return <Link to={linkTo("trace", null, { id: ref })} class="id">{shortId(ref)}</Link>;
}

function detailText(detail: Record<string, unknown> | null): string {
  return Object.entries(detail ?? {}).filter(([, value]) => typeof value !== "object").map(([name, value]) => `${name} ${String(value)}`).join(", ");
}

export function Audit(): JSX.Element {
  const wanted = place.value.query.get("after"), [open, setOpen] = useState<number | null>(null), [text, setText] = useState("");
  const check = useLoad((stop) => call("verify_audit", { signal: stop }), "verify");
  // The log is read oldest first; a page without a place begins a page before its end.
  const found = useLoad<Page | null>(async (stop) => {
    const head = check.data?.head;
    if (wanted === null && head === undefined) return null;
    return await call("list_audit", { query: { after: wanted === null ? Math.max(0, (head ?? 0) - size) : Number(wanted), limit: size }, signal: stop });
  }, `audit ${wanted} ${check.data?.head}`);
  const after = wanted === null ? Math.max(0, (check.data?.head ?? 0) - size) : Number(wanted);
  return (
    <>
      <Head title={t("Audit")} sub={check.data && <Badge check={check.data} />}>
        <button type="button" class="btn" onClick={() => { check.reload(); found.reload(); }}><Icon name="refresh" />{t("Verify")}</button>
        {found.data && <button type="button" class="btn" onClick={() => download("audit.json", JSON.stringify(found.data, null, 2))}><Icon name="download" />{t("Export")}</button>}
      </Head>
      <div class="toolbar"><input class="input" style={{ maxWidth: "420px" }} aria-label={t("Narrow this page")} placeholder={t("Narrow this page: who, what, target…")} value={text} onInput={(event) => setText(event.currentTarget.value)} /></div>
      <Card><Shown of={found}>{(data) => {
        if (data === null) return null;
        const words = text.toLowerCase().split(/\s+/), rows = [...data.entries].reverse().filter((one) => words.every((word) => `${one.who} ${one.what} ${one.ref} ${JSON.stringify(one.detail)}`.toLowerCase().includes(word)));
        if (rows.length === 0) return <Empty icon="audit" title={text ? "No entry matches on this page" : "Nothing was done yet"} />;
        return (
          <>
            <div class="scroll"><table class="cards"><caption class="unseen">{t("Audit log, newest first")}</caption><thead><tr><th scope="col" class="num">{t("No.")}</th><th scope="col">{t("When")}</th><th scope="col">{t("Who")}</th><th scope="col">{t("What")}</th><th scope="col">{t("Target")}</th><th scope="col">{t("Detail")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead>
              <tbody>{rows.map((one) => <><tr key={one.no}><td class="num faint" data-label={t("No.")}>{one.no}</td><td data-label={t("When")} class="muted"><Time at={one.at} /></td><td data-label={t("Who")}><span class="cut" title={one.who}>{nameOf(one.who)}</span></td><td data-label={t("What")}><b>{one.what}</b></td><td data-label={t("Target")}>{target(one.ref, one.what)}</td><td data-label={t("Detail")} class="muted wide"><span class="log-line" title={detailText(one.detail)}>{detailText(one.detail)}</span></td><td class="num"><button type="button" class="btn ghost small" aria-expanded={open === one.no} onClick={() => setOpen(open === one.no ? null : one.no)}>{t("Details")}</button></td></tr>
                {open === one.no && <tr key={`${one.no} open`}><td colSpan={7} class="wide"><Code value={one} what={t("Entry")} /></td></tr>}</>)}</tbody></table></div>
            <div class="more">{after > 0 && <Link to={withQuery({ after: String(Math.max(0, after - size)) })} class="btn small"><Icon name="back" />{t("Older")}</Link>}<span>{t("entries")}{" "}{figure(data.entries[0]?.no ?? 0)} to {figure(data.entries.at(-1)?.no ?? 0)}</span>{wanted !== null && <Link to={withQuery({ after: null })} class="btn small">{t("Newest")}</Link>}</div>
          </>
        );
      }}</Shown></Card>
    </>
  );
}
