// What was sent to a receiver, what it said, and when it is told again.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Delivery, Problem } from "../api.ts";
import { linkTo } from "../rules/links.ts";
import { call, problemFrom } from "../state/client.ts";
import { note } from "../state/says.ts";
import { may } from "../state/session.ts";
import { Code, Link, shortId, Time, Trouble } from "./kit.tsx";
import { t } from "../state/words.ts";

interface LastReply { status?: number; error?: string; detail?: string }

function outcome(one: Delivery): JSX.Element {
  const last = (one.last_reply ?? null) as LastReply | null, status = last?.status;
  if (one.in_flight) return <span class="st run">{t("in flight")}</span>;
  if (status !== undefined && status >= 200 && status < 300) return <span class="st ok">{t("delivered,")}{" "}{status}</span>;
  if (one.next_try) return <span class="st wait">{one.tries === 0 ? "waits" : `waits after ${status ?? last?.error ?? "a failure"}`}</span>;
  return <span class="st bad">{status ?? last?.error ?? "failed"}</span>;
}

export function Deliveries({ list, reload, withJob = false }: { list: Delivery[]; reload: () => void; withJob?: boolean }): JSX.Element {
  const [open, setOpen] = useState<string | null>(null), [problem, setProblem] = useState<Problem | null>(null);
  const again = (id: string): void => void call("redeliver_webhook", { params: [id] }).then(() => { note("Sent once more"); reload(); }, (fault: unknown) => setProblem(problemFrom(fault)));
  return (
    <>
      {problem && <div class="body"><Trouble problem={problem} /></div>}
      <div class="scroll">
        <table class="cards">
          <caption class="unseen">{t("Deliveries, newest first")}</caption>
          <thead><tr><th scope="col">{t("Event")}</th>{withJob && <th scope="col">{t("Job")}</th>}<th scope="col">{t("Outcome")}</th><th scope="col" class="num">{t("Tries")}</th><th scope="col">{t("Next try")}</th><th scope="col"><span class="unseen">{t("Acts")}</span></th></tr></thead>
          <tbody>{list.map((one) => <>
            <tr key={one.delivery_id}>
              <td data-label={t("Event")}>{one.event}</td>
              {withJob && <td data-label={t("Job")}>{one.job_id && <Link to={linkTo("trace", null, { id: one.job_id })} class="id">{shortId(one.job_id)}</Link>}</td>}
              <td data-label={t("Outcome")}>{outcome(one)}</td><td class="num" data-label={t("Tries")}>{one.tries}</td><td class="muted" data-label={t("Next try")}><Time at={one.next_try} /></td>
              <td class="num"><button type="button" class="btn ghost small" aria-expanded={open === one.delivery_id} onClick={() => setOpen(open === one.delivery_id ? null : one.delivery_id)}>{t("Details")}</button>{may("webhooks:write") && !one.in_flight && !one.next_try && <button type="button" class="btn ghost small" onClick={() => again(one.delivery_id)}>{t("Send again")}</button>}</td>
            </tr>
            {open === one.delivery_id && <tr key={`${one.delivery_id} open`}><td colSpan={6} class="wide"><div class="stack tight"><h3>{t("Request")}</h3><Code value={one.request ?? null} what={t("Request")} /><h3>{t("Last reply")}</h3><Code value={one.last_reply ?? null} what={t("Reply")} /></div></td></tr>}
          </>)}</tbody>
        </table>
      </div>
    </>
  );
}
