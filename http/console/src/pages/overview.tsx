// The one look in the morning: four figures, how full the pools are, what waits, what was deleted.
import type { JSX } from "preact";
import type { DeleteCall } from "../api.ts";
import { Throughput } from "../parts/chart.tsx";
import { Icon } from "../parts/icons.tsx";
import { Bar, Card, Empty, Head, Link, shortId, Shown, Time } from "../parts/kit.tsx";
import { PoolLine } from "../parts/slots.tsx";
import { termText } from "../rules/filter.ts";
import { linkTo } from "../rules/links.ts";
import { clockTime, counted, figure, relative } from "../rules/times.ts";
import { choices } from "../state/choices.ts";
import { call } from "../state/client.ts";
import { useLoad } from "../state/load.ts";
import { now } from "../state/now.ts";
import { rates } from "../state/rates.ts";
import { allProjects, may } from "../state/session.ts";
import { FirstRun } from "./first_run.tsx";
import { nameOf } from "./trace.tsx";
import { Alarms } from "./alerts.tsx";
import { t } from "../state/words.ts";

const told = (event: { type: string }): boolean => event.type.startsWith("job.") && event.type !== "job.progress";

function Tile({ title, value, note, to, warn = false }: { title: string; value: number; note: string; to: string; warn?: boolean }): JSX.Element {
  return <Link to={to} class="card tile"><span>{t(title)}</span><strong class={warn && value > 0 ? "warn-text" : ""}>{figure(value)}</strong><em>{note}</em></Link>;
}

function LastDeletes(): JSX.Element {
  const found = useLoad((stop) => call("list_deletions", { query: { page_size: 10 }, signal: stop }), "last deletes", (event) => event.type === "job.deleted");
  return (
    <Card title={t("Last deletes")} aside={<small><Link to={linkTo("deletions")}>all</Link></small>}><Shown of={found} rows={4}>{(data) => {
      const calls = data.deletions.filter((one): one is DeleteCall => "path" in one);
      return calls.length === 0 ? <Empty icon="deletions" title={t("Nothing was deleted yet")}><p>{t("Each delete comes with a signed receipt.")}</p></Empty> : (
        <table class="cards"><caption class="unseen">{t("Last ten deletes")}</caption><thead><tr><th scope="col">{t("Delete")}</th><th scope="col">{t("What went")}</th><th scope="col">{t("By")}</th><th scope="col">{t("Receipt")}</th><th scope="col" class="num">{t("When")}</th></tr></thead><tbody>{calls.map((one) => <tr key={one.delete_id}><th scope="row"><Link to={linkTo("deletions", one.delete_id)} class="id">{shortId(one.delete_id)}</Link></th><td data-label={t("What went")}>{one.counts ? counted(one.counts.deleted, "job") : ""}{one.counts && one.counts.killed > 0 && <span class="muted">, {figure(one.counts.killed)}{" "}{t("stopped")}</span>}</td><td data-label={t("By")} class="muted"><span class="cut">{nameOf(one.who)}</span></td><td data-label={t("Receipt")}>{one.receipt ? <span class="st ok"><Icon name="check" />{t("signed")}</span> : one.state === "DELETED" ? <span class="faint">{t("none")}</span> : <span class="st del">{t("pending")}</span>}</td><td data-label={t("When")} class="num muted"><Time at={one.at} /></td></tr>)}</tbody></table>
      );
    }}</Shown></Card>
  );
}

export function Overview(): JSX.Element {
  const counts = useLoad(async (stop) => await call("count_jobs", { query: { group_by: "status" }, signal: stop }) as { counts: Record<string, number>; as_of: string }, "overview counts", told);
  const reads = may("queues:read"), pools = useLoad(async (stop) => reads ? await call("list_pools", { signal: stop }) : { pools: [] }, "overview pools", told), queues = useLoad(async (stop) => reads ? await call("list_queues", { signal: stop }) : { queues: [] }, "overview queues", told), workers = useLoad(async (stop) => reads ? await call("list_workers", { signal: stop }) : { workers: [] }, "overview workers");
  const of = (name: string): number => counts.data?.counts[name] ?? 0, total = counts.data ? Object.values(counts.data.counts).reduce((sum, n) => sum + n, 0) : null;
  const slots = pools.data?.pools.reduce((sum, pool) => sum + pool.capacity, 0) ?? 0, failedDeletes = of("delete_failed"), ended = of("succeeded") + of("failed") + of("cancelled");
  return (
    <>
      <Head title={t("Overview")} sub={counts.data && <>{t("as of")}{" "}{clockTime(counts.data.as_of, choices.value.zone)}</>} />
      <Alarms />
      {total === 0 && <div style={{ marginBottom: "16px" }}><FirstRun /></div>}
      <Shown of={counts} rows={3}>{() => (
        <div class="tiles">
          <Tile title={t("Running")} value={of("running")} note={slots > 0 ? `of ${figure(slots)} slots` : ""} to={linkTo("jobs", null, { status: "running" })} />
          <Tile title={t("Queued")} value={of("queued")} note={of("scheduled") > 0 ? `and ${figure(of("scheduled"))} scheduled` : "none scheduled"} to={linkTo("jobs", null, { status: "queued" })} />
          <Tile title={t("Failed")} value={of("failed")} note={ended > 0 ? `${(of("failed") / ended * 100).toFixed(1)} % of those that ended and are kept` : "none ended yet"} to={linkTo("jobs", null, { status: "failed" })} />
          <Tile title={t("Deletes pending")} value={of("pending_delete") + failedDeletes} warn note={failedDeletes > 0 ? `${figure(failedDeletes)} failed: they need a look` : of("pending_delete") > 0 ? "under way" : "every delete is done"} to={linkTo("deletions", null, { view: failedDeletes > 0 ? "failed" : "pending" })} />
        </div>
      )}</Shown>
      <div class="cols">
        <Card title={t("Throughput")} aside={<small>{t("jobs a minute, since this page opened")}</small>}><Throughput rates={rates.value} /></Card>
        {reads && <Card title={t("Pools")} aside={<small>{workers.data && counted(workers.data.workers.length, "worker")}</small>}><Shown of={pools} rows={3}>{(data) => data.pools.map((pool) => <PoolLine key={pool.name} pool={pool} />)}</Shown></Card>}
      </div>
      <div class="cols">
        {may("jobs:read") && allProjects() && <LastDeletes />}
        {reads && <Card title={t("Queues")} aside={<small><Link to={linkTo("queues")}>all</Link></small>}><Shown of={queues} rows={4}>{(data) => {
          const most = Math.max(1, ...data.queues.map((queue) => queue.queued)), list = [...data.queues].sort((a, b) => b.queued - a.queued).slice(0, 8);
          return list.length === 0 ? <Empty icon="queues" title={t("No queue yet")} /> : <table class="cards"><caption class="unseen">{t("Queues, the longest first")}</caption><thead><tr><th scope="col">{t("Queue")}</th><th scope="col">{t("Waiting")}</th><th scope="col" class="num">{t("Oldest")}</th><th scope="col" class="num">{t("Running")}</th></tr></thead><tbody>{list.map((queue) => <tr key={queue.name}><th scope="row"><Link to={linkTo("jobs", null, { q: termText({ field: "queue", op: ":", value: queue.name }) })}><span class="cut">{queue.name}</span></Link>{queue.paused && <> <span class="st del">{t("paused")}</span></>}</th><td data-label={t("Waiting")}><span class="row nowrap"><Bar part={queue.queued / most} label={`Waiting in ${queue.name}`} />{figure(queue.queued)}</span></td><td data-label={t("Oldest")} class="num muted">{queue.oldest_queued_at && relative(Date.parse(queue.oldest_queued_at), now.value).replace(" ago", "")}</td><td data-label={t("Running")} class="num">{figure(queue.running)}</td></tr>)}</tbody></table>;
        }}</Shown></Card>}
      </div>
    </>
  );
}
