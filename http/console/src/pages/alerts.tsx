// Alerts: deletions that came faster than usual, and deletes that wait until somebody approves them.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Alerts as Reply } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Icon } from "../parts/icons.tsx";
import { Card, Empty, Head, Link, Shown, Time } from "../parts/kit.tsx";
import { linkTo } from "../rules/links.ts";
import { counted, figure } from "../rules/times.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { go } from "../state/place.ts";
import { note } from "../state/says.ts";
import { allProjects, may, offers } from "../state/session.ts";
import { nameOf } from "./trace.tsx";
import { t } from "../state/words.ts";

type Alert = Reply["alerts"][number];

const titles: Record<Alert["cause"], string> = {
  calls: "Many delete calls", bulk: "A delete of many jobs", share: "A delete of a large share", vanished: "Rows went without a delete", drop: "Many jobs are gone", moves: "Many jobs failed",
  off_hours: "Deletes outside working hours", growth: "The store grows fast", memory: "A node holds much memory", waiting: "A job waits long", dead_rows: "Dead rows pile up", held: "A snapshot of the database is held",
};
/** The server's sentence begins small, as a part of its log lines. */
const sentence = (alert: Alert): string => `${alert.sentence.charAt(0).toUpperCase()}${alert.sentence.slice(1).replace(/\.$/, "")}.`;
const isOpen = (alert: Alert): boolean => alert.state === "raised";

const useAlerts = (): ReturnType<typeof useLoad<Reply>> => useLoad(async (stop) => offers("list_alerts") && may("audit:read") && allProjects() ? await call("list_alerts", { signal: stop }) : { alerts: [] }, "alerts", (event) => event.type.startsWith("alert."));

export function Alarms(): JSX.Element | null {
  const found = useAlerts(), open = (found.data?.alerts ?? []).filter(isOpen), [first] = open;
  if (!first) return null;
  return <div class="alert" role="status" style={{ marginBottom: "16px" }}><Icon name="warn" /><div>{sentence(first)}{first.holds && " It waits for an approval."}{open.length > 1 && ` And ${counted(open.length - 1, "more alert")}.`}</div><Link to={linkTo("alerts")} class="btn small">{t("Look")}</Link></div>;
}

function Figures({ alert }: { alert: Alert }): JSX.Element {
  const unit = alert.cause === "share" ? " %" : "", most = Math.max(alert.count, alert.limit, 1);
  return <div class="stack tight"><span class="bar fill" role="img" aria-label={`${figure(alert.count)}${unit}, the limit is ${figure(alert.limit)}${unit}`}><i style={{ width: `${Math.round(100 * alert.count / most)}%`, background: "var(--warn)" }} /></span><p class="small muted"><b>{figure(alert.count)}{unit}</b>{t(", the limit is")}{" "}{figure(alert.limit)}{unit}</p></div>;
}

function One({ alert, ask }: { alert: Alert; ask: (act: "ack" | "approve", alert: Alert) => void }): JSX.Element {
  const words = isOpen(alert) ? alert.holds ? "holds a delete" : "open" : alert.state === "approved" ? "approved" : "seen";
  return (
    <Card title={titles[alert.cause]} aside={<><span class={`st ${isOpen(alert) ? "del" : alert.state === "approved" ? "ok" : "wait"}`}>{words}</span><small><Time at={alert.at} /></small></>}>
      <div class="body stack">
        <p>{sentence(alert)}</p>
        {alert.cause !== "share" && <Figures alert={alert} />}
        <dl class="facts"><dt>{t("Asked by")}</dt><dd>{nameOf(alert.who)} <span class="mono muted">{alert.path}</span></dd>{alert.project && <><dt>{t("Project")}</dt><dd>{alert.project}</dd></>}{alert.by && <><dt>{alert.state === "approved" ? "Approved by" : "Seen by"}</dt><dd>{nameOf(alert.by)} <span class="muted"><Time at={alert.acted_at} /></span></dd></>}</dl>
        {isOpen(alert) && may("alerts:write") && <div class="row wrap end"><button type="button" class="btn" onClick={() => ask("ack", alert)}>{alert.holds ? "Refuse the delete…" : "I have seen it"}</button>{alert.holds && <button type="button" class="btn danger" onClick={() => ask("approve", alert)}>{t("Approve the delete…")}</button>}</div>}
      </div>
    </Card>
  );
}

export function Alerts(): JSX.Element {
  const found = useAlerts(), [asking, setAsking] = useState<{ act: "ack" | "approve"; alert: Alert } | null>(null);
  const run = async (act: "ack" | "approve", id: string): Promise<void> => {
    if (act === "ack") { await call("ack_alert", { params: [id] }); note("Seen"); return found.reload(); }
    const made = await call("approve_alert", { params: [id] });
    note("The delete is being made");
    found.reload();
    if ("operation_id" in made) go(linkTo("operations", made.operation_id)); else if ("delete_id" in made && made.delete_id) go(linkTo("deletions", made.delete_id));
  };
  const holds = asking?.alert.holds ?? false;
  return (
    <>
      <Head title={t("Alerts")} sub={t("what somebody should look at")} />
      <Shown of={found}>{(data) => data.alerts.length === 0 ? <Card><Empty icon="alerts" title={t("Nothing to look at")}><p>{t("When more is deleted in a short time than usual, it stands here. With")}{" "}<code>spike_hold</code>{" "}{t("such a delete waits until it is approved.")}</p></Empty></Card> : <div class="stack">{data.alerts.map((alert) => <One key={alert.alert_id} alert={alert} ask={(act, one) => setAsking({ act, alert: one })} />)}</div>}</Shown>
      {asking?.act === "ack" && <Confirm title={holds ? "Refuse the delete that waits?" : "Mark it as seen?"} act={holds ? "Refuse the delete" : "I have seen it"} onClose={() => setAsking(null)} run={() => run("ack", asking.alert.alert_id)}>{holds ? "The delete that this alert holds will not be made; whoever asked for it may ask again." : "It stays in the list, with your name."}</Confirm>}
      {asking?.act === "approve" && <Confirm title={t("Make the delete that waits?")} danger act={t("Approve the delete")} onClose={() => setAsking(null)} run={() => run("approve", asking.alert.alert_id)}>{sentence(asking.alert)}{" "}{t("It is made now, exactly as it was asked for by")}{" "}{nameOf(asking.alert.who)}.</Confirm>}
    </>
  );
}
