// Snapshots of the store: what came, what went, and what was lost without anybody having deleted it.
import type { JSX } from "preact";
import { Icon } from "../parts/icons.tsx";
import { Card, Empty, Head, Link, Shown, shortId, Status, Time } from "../parts/kit.tsx";
import { linkTo } from "../rules/links.ts";
import { bytes, counted, figure } from "../rules/times.ts";
import { call } from "../state/client.ts";
import { useLoad, useTurns } from "../state/load.ts";
import { place } from "../state/place.ts";
import { t } from "../state/words.ts";

function Diff({ from, to }: { from: string; to: string }): JSX.Element {
  const found = useLoad((stop) => call("diff_snapshots", { query: { from, to }, signal: stop }), `diff ${from} ${to}`);
  return <Card title={t("What differs")} aside={<Link to={linkTo("snapshots")} class="btn small">{t("All snapshots")}</Link>}><Shown of={found}>{(data) => <div class="body stack">
    <p>{figure(data.jobs_before)}{" "}{t("jobs before,")}{" "}{figure(data.jobs_after)}{" "}{t("after;")}{" "}{bytes(data.store_bytes_before)}{" "}{t("before,")}{" "}{bytes(data.store_bytes_after)} after.</p>
    {data.lost > 0 && <div class="alert bad" role="alert"><Icon name="warn" /><div><p><b>{counted(data.lost, "job")}{" "}{t("went without a delete.")}</b></p><p>{t("No tombstone tells of them.")}</p></div></div>}
    <div class="scroll"><table class="cards"><caption class="unseen">{t("By queue and status")}</caption><thead><tr><th scope="col">{t("Queue")}</th><th scope="col">{t("Status")}</th><th scope="col" class="num">{t("Before")}</th><th scope="col" class="num">{t("After")}</th></tr></thead><tbody>{data.counts.map((one) => <tr key={`${one.queue} ${one.status}`}><th scope="row">{one.queue}</th><td data-label={t("Status")}><Status status={one.status} /></td><td data-label={t("Before")} class="num">{figure(one.before)}</td><td data-label={t("After")} class="num">{figure(one.after)}</td></tr>)}</tbody></table></div>
    {data.ranges.length > 0 && <div class="scroll"><table class="cards"><caption class="unseen">{t("Ranges of ids that differ")}</caption><thead><tr><th scope="col">{t("From")}</th><th scope="col">{t("To")}</th><th scope="col" class="num">{t("Jobs")}</th><th scope="col" class="num">{t("Deleted")}</th><th scope="col" class="num">{t("Lost")}</th></tr></thead><tbody>{data.ranges.map((one) => <tr key={one.from_id}><th scope="row" class="id">{shortId(one.from_id)}</th><td data-label={t("To")} class="id">{shortId(one.to_id)}</td><td data-label={t("Jobs")} class="num">{figure(one.rows_before)} → {figure(one.rows_after)}</td><td data-label={t("Deleted")} class="num">{figure(one.tombstones_after - one.tombstones_before)}</td><td data-label={t("Lost")} class={`num${one.lost > 0 ? " danger-text" : ""}`}>{figure(one.lost)}</td></tr>)}</tbody></table></div>}
  </div>}</Shown></Card>;
}

export function Snapshots(): JSX.Element {
  const { query } = place.value, from = query.get("from"), to = query.get("to");
  const found = useLoad((stop) => call("list_snapshots", { query: { limit: 100 }, signal: stop }), "snapshots");
  useTurns(found.reload, 10);
  return (
    <>
      <Head title={t("Snapshots")} sub={t("what the store held, and whether anything went by itself")} />
      {from && to ? <Diff from={from} to={to} /> : <Card><Shown of={found}>{(data) => data.snapshots.length === 0 ? <Empty icon="snapshots" title={t("No snapshot yet")}><p>{t("The sentinel takes one each so often, where it is switched on.")}</p></Empty>
        : <div class="scroll"><table class="cards"><caption class="unseen">{t("Snapshots, newest first")}</caption><thead><tr><th scope="col">{t("When")}</th><th scope="col">{t("State")}</th><th scope="col" class="num">{t("Jobs")}</th><th scope="col" class="num">{t("Came")}</th><th scope="col" class="num">{t("Went")}</th><th scope="col" class="num">{t("Changed")}</th><th scope="col" class="num">{t("Store")}</th><th><span class="unseen">{t("Acts")}</span></th></tr></thead><tbody>{data.snapshots.map((one, i) => {
          const older = data.snapshots[i + 1];
          return <tr key={one.snapshot}><th scope="row"><Time at={one.at} /></th><td data-label={t("State")} class="wide">{one.lost > 0 ? <span class="st bad"><Icon name="warn" />{counted(one.lost, "job")}{" "}{t("lost")}</span> : one.above.length > 0 ? <span class="st del" title={one.above.join("; ")}>{one.above.join("; ")}</span> : <span class="st ok"><Icon name="check" />{t("nothing lost")}</span>}{one.is_partial && <span class="faint">{" "}{t("looked at in part")}</span>}</td><td data-label={t("Jobs")} class="num">{figure(one.jobs)}</td><td data-label={t("Came")} class="num">{figure(one.added)}</td><td data-label={t("Went")} class="num">{figure(one.removed)}</td><td data-label={t("Changed")} class="num">{figure(one.changed)}</td><td data-label={t("Store")} class="num muted">{bytes(one.store_bytes)}</td><td class="num">{older && <Link to={linkTo("snapshots", null, { from: older.snapshot, to: one.snapshot })} class="btn small">{t("Compare with the one before")}</Link>}</td></tr>;
        })}</tbody></table></div>}</Shown></Card>}
    </>
  );
}
