// The long answer to "where did it go?", of a server that keeps it: the whole life of an id, who ended it, and with which proof.
import type { JSX } from "preact";
import type { JobStatus, Trace as Found } from "../api.ts";
import { Card, Empty, Link, Shown, statusTitle, Time } from "../parts/kit.tsx";
import { ReceiptButtons, ReceiptPayload, useReceiptCheck, VerdictLine } from "../parts/receipt.tsx";
import { fates } from "../rules/fates.ts";
import { linkTo } from "../rules/links.ts";
import { bytes, counted, exact, figure, span } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { t } from "../state/words.ts";

const nameOf = (who: string): string => who.replace(/^token:/, "").replace(/#.*$/, "");
const receiptWords: Record<Found["receipt"]["state"], string> = { none: "none", unsigned: "not signed yet", valid: "signed, and the server finds it whole", invalid: "it does not fit its signature", other_key: "signed by another key" };

/** Where the id leads, of whatever it is. */
function home(found: Found): [string, string] | null {
  if (found.found_as === "job" && (found.fate === "alive" || found.fate === "restored" || found.fate === "leaving")) return ["Open the job", linkTo("jobs", found.id)];
  if (found.found_as === "deletion") return ["Open the delete", linkTo("deletions", found.id)];
  if (found.found_as === "schedule" && !found.schedule_is_gone) return ["Open the schedule", linkTo("schedules", found.id)];
  return found.fate === "archived" ? ["Look at the copy", linkTo("archive", found.id)] : null;
}

function Facts({ found }: { found: Found }): JSX.Element {
  const gone = found.deleted, going = found.leaving, zone = choices.value.zone;
  const rows: Array<[string, JSX.Element | string | null | undefined]> = [
    ["Kind", found.kind], ["Queue", found.queue], ["Project", found.project], ["Submitted", found.submitted_at && <>{exact(found.submitted_at, zone)}{found.submitted_by && ` by ${nameOf(found.submitted_by)}`}</>],
    ["It was", gone && statusTitle(gone.was as JobStatus)], ["Deleted by", gone?.who ? `${nameOf(gone.who)}, by ${gone.path}` : null], ["Reason", gone?.why ?? going?.why ?? found.call?.reason],
    ["Proof", gone && <span class={gone.proven ? "good-text" : "warn-text"}>{gone.verdict_sentence}</span>], ["Waits for", going && `${counted(going.holders, "holder")}, after ${counted(going.tries, "try", "tries")}${going.error ? `: ${going.error}` : ""}`],
    ["Delete", gone ?? going ? <Link to={linkTo("deletions", (gone ?? going)?.delete_id)} class="mono">{(gone ?? going)?.delete_id}</Link> : null],
    ["Copy", found.copy_kept_until && `kept until ${exact(found.copy_kept_until, zone)}`], ["Remembered", gone && `until ${exact(gone.remembered_until, zone)}`],
    ["Receipt", found.receipt.state === "none" ? null : receiptWords[found.receipt.state]], ["Schedule", found.schedule_id ? <Link to={linkTo("schedules", found.schedule_id)} class="mono">{found.schedule_id}</Link> : null],
  ];
  return <dl class="facts boxed">{rows.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([name, value]) => <><dt key={name}>{name}</dt><dd>{value}</dd></>)}</dl>;
}

function Effects({ list }: { list: NonNullable<Found["effects"]> }): JSX.Element {
  return <Card title={t("What it reached")}><div class="scroll"><table class="cards"><caption class="unseen">{t("Hosts that it called")}</caption><thead><tr><th scope="col">{t("Host")}</th><th scope="col" class="num">{t("Calls")}</th><th scope="col" class="num">{t("Sent")}</th><th scope="col" class="num">{t("Received")}</th><th scope="col" class="num">{t("Took")}</th></tr></thead>
    <tbody>{list.map((one) => <tr key={one.host}><th scope="row">{one.host}</th><td data-label={t("Calls")} class="num">{figure(one.calls)}</td><td data-label={t("Sent")} class="num">{bytes(one.bytes_out)}</td><td data-label={t("Received")} class="num">{bytes(one.bytes_in)}</td><td data-label={t("Took")} class="num">{span(one.ms)}</td></tr>)}</tbody></table></div></Card>;
}

function Log({ list }: { list: Found["audit"] }): JSX.Element {
  return <Card title={t("In the audit log")}><div class="scroll"><table class="cards"><caption class="unseen">{t("Entries of the audit log")}</caption><thead><tr><th scope="col" class="num">{t("No.")}</th><th scope="col">{t("What")}</th><th scope="col">{t("Who")}</th><th scope="col" class="num">{t("When")}</th></tr></thead>
    <tbody>{list.map((one) => <tr key={one.no}><th scope="row" class="num"><Link to={linkTo("audit", null, { after: String(Math.max(0, one.no - 1)) })}>{one.no}</Link></th><td data-label={t("What")}><b>{one.what}</b></td><td data-label={t("Who")} class="muted"><span class="cut">{nameOf(one.who)}</span></td><td data-label={t("When")} class="num muted"><Time at={one.at} /></td></tr>)}</tbody></table></div></Card>;
}

function Answer({ found }: { found: Found }): JSX.Element {
  const [word, look] = fates[found.fate], way = home(found), [verdict, check] = useReceiptCheck(), receipt = found.receipt.receipt;
  if (found.found_as === "nothing") return <Card><Empty icon="trace" title={found.fate === "older_than_kept" ? "Too old to tell" : "Never seen here"}><p>{found.sentence}</p></Empty></Card>;
  return (
    <div class="stack">
      <Card><div class="trace-card">
        <div class="row wrap"><span class={`st ${look}`}>{word}</span><span class="id">{found.id}</span><span class="grow" />{receipt && <ReceiptButtons receipt={receipt} name={found.id} onCheck={() => void check(receipt)} />}</div>
        <p>{found.sentence}</p>
        {verdict && <VerdictLine verdict={verdict} />}
        <Facts found={found} />
        {receipt && <ReceiptPayload receipt={receipt} />}
        {way && <div><Link to={way[1]} class="btn primary">{way[0]}</Link></div>}
        {found.not_kept.length > 0 && <p class="small faint">{t("No longer known:")}{" "}{found.not_kept.join(", ")}.</p>}
      </div></Card>
      {found.life.length > 0 && <Card title={t("What happened")}><ol class="timeline">{found.life.map((one, i) => <li key={i} class={/delet|mark|erase/.test(one.what) ? "is-del" : ""}><div class="row"><span class="grow">{one.text}</span><Time at={one.at} /></div></li>)}</ol></Card>}
      {(found.effects?.length ?? 0) > 0 && <Effects list={found.effects ?? []} />}
      {found.audit.length > 0 && <Log list={found.audit} />}
    </div>
  );
}

export function Whereabouts({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => call("trace_job", { params: [id], signal: stop }), `whereabouts ${id}`, (event) => event.job_id === id);
  return <Shown of={found} rows={4}>{(data) => <Answer found={data} />}</Shown>;
}
