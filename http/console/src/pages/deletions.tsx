// Deletes: what is not finished, with the reason and what can be done; and each call with its receipt.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { DeleteCall, Ticket } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Steps } from "../parts/delete_progress.tsx";
import { Icon } from "../parts/icons.tsx";
import { Back, Card, Copy, Empty, Head, Link, shortId, Shown, Status, Time } from "../parts/kit.tsx";
import { askUndo } from "../parts/restore.tsx";
import { ReceiptButtons, ReceiptPayload, useReceiptCheck, VerdictLine } from "../parts/receipt.tsx";
import { afterCall, isProven, proofText, verdictWords } from "../rules/deletion.ts";
import { linkTo } from "../rules/links.ts";
import { counted, exact, figure } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { serverNow } from "../state/clock.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { place, withQuery } from "../state/place.ts";
import { note } from "../state/says.ts";
import { may, offers } from "../state/session.ts";
import { nameOf } from "./trace.tsx";
import { t } from "../state/words.ts";

const told = (event: { type: string }): boolean => event.type === "job.deleted" || event.type === "job.delete_requested";

function countsText(one: DeleteCall): string {
  const counts = one.counts;
  if (!counts) return "";
  const parts = [`${figure(counts.deleted)} deleted`, counts.killed > 0 && `${figure(counts.killed)} stopped`, counts.dequeued > 0 && `${figure(counts.dequeued)} dequeued`, counts.already_gone > 0 && `${figure(counts.already_gone)} gone before`, counts.failed > 0 && `${figure(counts.failed)} refused`];
  return parts.filter((part): part is string => typeof part === "string").join(" · ");
}

/** Whether a copy of something that it deleted can still be brought back. */
const hasCopy = (one: DeleteCall): boolean => (one.outcomes ?? []).some((row) => !row.restored && row.copy_kept_until !== null && row.copy_kept_until !== undefined && Date.parse(row.copy_kept_until) > serverNow());

const CallState = ({ one }: { one: DeleteCall }): JSX.Element => one.state === "DELETED" ? <span class="st ok"><Icon name="check" />{t("done")}</span> : <Status status="pending_delete" />;

function Calls(): JSX.Element {
  const token = place.value.query.get("page") ?? "";
  const found = useLoad((stop) => call("list_deletions", { query: { page_size: 50, page_token: token }, signal: stop }), `deletions ${token}`, told);
  return (
    <Card>
      <Shown of={found}>{(data) => {
        const calls = data.deletions.filter((one): one is DeleteCall => "path" in one);
        if (calls.length === 0) return <Empty icon="deletions" title={t("Nothing was deleted yet")}><p>{t("Each delete stands here with what it stopped, what it erased, and a receipt that can be checked.")}</p><Link to={linkTo("jobs")} class="btn">{t("Jobs")}</Link></Empty>;
        return (
          <>
            <div class="scroll"><table class="cards">
              <caption class="unseen">{t("Deletes, newest first")}</caption>
              <thead><tr><th scope="col">{t("Delete")}</th><th scope="col">{t("State")}</th><th scope="col">{t("What went")}</th><th scope="col">{t("By")}</th><th scope="col">{t("Reason")}</th><th scope="col" class="num">{t("When")}</th></tr></thead>
              <tbody>{calls.map((one) => <tr key={one.delete_id}>
                <th scope="row"><Link to={linkTo("deletions", one.delete_id)} class="id">{shortId(one.delete_id)}</Link></th><td data-label={t("State")}><CallState one={one} /></td><td data-label={t("What went")} class="muted">{countsText(one)}</td>
                <td data-label={t("By")}><span class="cut">{nameOf(one.who)}</span></td><td data-label={t("Reason")} class="muted"><span class="cut" title={one.reason ?? ""}>{one.reason}</span></td><td data-label={t("When")} class="num muted"><Time at={one.at} /></td>
              </tr>)}</tbody>
            </table></div>
            {(token || data.next_page_token) && <div class="more">{token && <Link to={withQuery({ page: null })} class="btn small"><Icon name="back" />{t("Newest")}</Link>}{data.next_page_token && <Link to={withQuery({ page: data.next_page_token })} class="btn small">{t("Older")}<Icon name="next" /></Link>}</div>}
          </>
        );
      }}</Shown>
    </Card>
  );
}

function TicketRow({ ticket, reload }: { ticket: Ticket; reload: () => void }): JSX.Element {
  const [asking, setAsking] = useState<"retry" | "force" | null>(null);
  return (
    <tr>
      <th scope="row"><Link to={linkTo("jobs", ticket.job_id)} class="id">{shortId(ticket.job_id)}</Link></th>
      <td data-label={t("State")}><Status status={ticket.state} /></td>
      <td data-label={t("Waits for")} class="wide muted">{ticket.last_error ?? (ticket.open_holders > 0 ? `its run is being stopped (${counted(ticket.open_holders, "holder")})` : "is being erased")}</td>
      <td data-label={t("Since")} class="muted"><Time at={ticket.since} /></td><td data-label={t("Tries")} class="num">{ticket.tries}</td><td data-label={t("Next try")} class="muted"><Time at={ticket.next_try} /></td>
      <td class="num">
        <Link to={linkTo("deletions", ticket.delete_id)} class="btn ghost small">{t("Delete")}</Link>
        {may("jobs:delete") && <button type="button" class="btn small" onClick={() => setAsking("retry")}>{t("Try now")}</button>}
        {may("jobs:delete:force") && ticket.state === "delete_failed" && <button type="button" class="btn small outline-danger" onClick={() => setAsking("force")}>{t("Force…")}</button>}
        {asking === "retry" && <Confirm title={t("Try this delete again now?")} act={t("Try now")} onClose={() => setAsking(null)} run={() => call("retry_deletion", { params: [ticket.delete_id] }).then(() => { note("Tried again"); reload(); })}>{t("Everything of it that is not finished is tried once more.")}</Confirm>}
        {asking === "force" && <Confirm title={t("Erase without proof?")} danger reason act={t("Erase without proof")} onClose={() => setAsking(null)} run={(reason) => call("force_deletion", { params: [ticket.delete_id], body: { reason, confirm: true } }).then(() => { note("Erased without proof"); reload(); })}>{t("Nobody has confirmed that its run is down. It is erased all the same; what still runs somewhere can write nothing here, but may act outside. The receipt says so, for ever.")}</Confirm>}
      </td>
    </tr>
  );
}

function Tickets({ state }: { state: string }): JSX.Element {
  const found = useLoad((stop) => call("list_deletions", { query: { state }, signal: stop }), `tickets ${state}`, told);
  return (
    <Card>
      <Shown of={found}>{(data) => {
        const tickets = data.deletions.filter((one): one is Ticket => "open_holders" in one);
        if (tickets.length === 0) return <Empty icon="check" title={state === "DELETE_FAILED" ? "No delete failed" : "No delete is pending"}><p>{state === "DELETE_FAILED" ? "A delete fails only when it was tried many times; it never runs its job again." : "Every delete that was asked for is done."}</p></Empty>;
        return <div class="scroll"><table class="cards"><caption class="unseen">{t("Jobs whose delete is not finished")}</caption><thead><tr><th scope="col">{t("Job")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Waits for")}</th><th scope="col">{t("Since")}</th><th scope="col" class="num">{t("Tries")}</th><th scope="col">{t("Next try")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{tickets.map((ticket) => <TicketRow key={ticket.job_id} ticket={ticket} reload={found.reload} />)}</tbody></table></div>;
      }}</Shown>
    </Card>
  );
}

export function Deletions(): JSX.Element {
  const views = [["", "All"], ["pending", "Pending"], ["failed", "Failed"]] as const, wanted = place.value.query.get("view"), view = views.find(([key]) => key === wanted)?.[0] ?? "";
  return (
    <>
      <Head title={t("Deletions")} sub={t("what was deleted, by whom, with which proof")} />
      <nav class="tabs" aria-label={t("Deletions")}>{views.map(([key, title]) => <Link key={key} to={withQuery({ view: key || null, page: null })} aria-current={view === key ? "page" : undefined}>{title}</Link>)}</nav>
      {view === "pending" ? <Tickets state="PENDING_DELETE" /> : view === "failed" ? <Tickets state="DELETE_FAILED" /> : <Calls />}
    </>
  );
}

export function Deletion({ id }: { id: string }): JSX.Element {
  const found = useLoad((stop) => call("get_deletion", { params: [id], signal: stop }), `deletion ${id}`, told);
  const [verdict, check] = useReceiptCheck();
  return (
    <>
      <Back to="deletions" title={t("Deletions")} />
      <div class="job-head"><h1 tabIndex={-1}>{id}</h1><Copy text={id} what={t("Id")} />{found.data && <CallState one={found.data} />}<span class="grow" />{found.data && hasCopy(found.data) && offers("undo_deletion") && may("jobs:write") && <button type="button" class="btn" onClick={() => askUndo(id, found.reload)}>{t("Undo…")}</button>}{found.data?.receipt && <ReceiptButtons receipt={found.data.receipt} name={id} onCheck={() => void check(found.data!.receipt!)} />}</div>
      <Shown of={found}>{(one) => {
        const stages = afterCall(new Map(), one), proof = proofText(stages), rows = one.outcomes ?? [];
        return (
          <div class="stack">
            <p class="muted">{t("By")}{" "}<b>{nameOf(one.who)}</b> at {exact(one.at, choices.value.zone)}{one.reason && <>{t(", because “")}{one.reason}”</>}.</p>
            {verdict && <VerdictLine verdict={verdict} />}
            <Card><div class="body stack"><Steps going={{ stages, receipt: one.receipt }} /><dl class="facts"><dt>{t("What went")}</dt><dd>{countsText(one)}</dd>{proof && <><dt>{t("Proof")}</dt><dd>{proof}</dd></>}<dt>{t("Asked by")}</dt><dd class="mono">{one.path}</dd></dl>{one.receipt && <ReceiptPayload receipt={one.receipt} />}</div></Card>
            {(one.pending?.length ?? 0) > 0 && <Card title={t("Not finished")}><div class="scroll"><table class="cards"><caption class="unseen">{t("Not finished")}</caption><thead><tr><th scope="col">{t("Job")}</th><th scope="col">{t("State")}</th><th scope="col">{t("Waits for")}</th><th scope="col">{t("Since")}</th><th scope="col" class="num">{t("Tries")}</th><th scope="col">{t("Next try")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{one.pending?.map((ticket) => <TicketRow key={ticket.job_id} ticket={ticket} reload={found.reload} />)}</tbody></table></div></Card>}
            {rows.length > 0 && <Card title={counted(rows.length, "job")} aside={rows.length === 1000 ? <small>{t("the first 1,000")}</small> : undefined}><div class="scroll"><table class="cards"><caption class="unseen">{t("Jobs that it deleted")}</caption><thead><tr><th scope="col">{t("Job")}</th><th scope="col">{t("It was")}</th><th scope="col">{t("Proof")}</th><th scope="col">{t("Copy")}</th><th scope="col" class="num">{t("Gone")}</th></tr></thead><tbody>
              {rows.slice(0, 200).map((row) => <tr key={row.job_id}><th scope="row"><Link to={linkTo("trace", null, { id: row.job_id })} class="id">{shortId(row.job_id)}</Link></th><td data-label={t("It was")}><Status status={row.was} /></td><td data-label={t("Proof")} class={isProven(row.verdict) ? "muted" : "warn-text"}>{verdictWords[row.verdict] ?? row.verdict}</td><td data-label={t("Copy")} class="muted">{row.restored ? t("brought back") : row.copy_kept_until ? <>{t("kept until")}{" "}<Time at={row.copy_kept_until} plain /></> : "none"}</td><td data-label={t("Gone")} class="num muted"><Time at={row.deleted_at} /></td></tr>)}
            </tbody></table></div>{rows.length > 200 && <div class="more">and {figure(rows.length - 200)}{" "}{t("more in the receipt")}</div>}</Card>}
          </div>
        );
      }}</Shown>
    </>
  );
}
