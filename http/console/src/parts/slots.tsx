// A pool's slots: a filled square is a job that runs, a hatched one a run that does not end. Beyond 64 it is a bar.
import type { ComponentChildren, JSX } from "preact";
import type { Pool } from "../api.ts";
import { figure } from "../rules/times.ts";
import { Bar } from "./kit.tsx";
import { t } from "../state/words.ts";

export function Slots({ pool }: { pool: Pick<Pool, "name" | "capacity" | "used" | "stuck"> }): JSX.Element {
  const says = `${pool.name}: ${pool.used} of ${pool.capacity} slots used${pool.stuck > 0 ? `, ${pool.stuck} stuck` : ""}`;
  if (pool.capacity > 64 || pool.capacity === 0) return <Bar fill part={pool.capacity === 0 ? 0 : pool.used / pool.capacity} label={says} />;
  return <div class="slots" role="img" aria-label={says}>{Array.from({ length: pool.capacity }, (_, i) => <i key={i} class={i < pool.stuck ? "s" : i < pool.used ? "u" : ""} />)}</div>;
}

export function PoolLine({ pool, children }: { pool: Pool; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="pool">
      <div class="row"><b>{pool.name}</b><span class="grow" /><span class="muted">{figure(pool.used)} of {figure(pool.capacity)}{" "}{t("used")}{pool.stuck > 0 && <span class="warn-text">, {figure(pool.stuck)}{" "}{t("stuck")}</span>}{pool.waiting > 0 && `, ${figure(pool.waiting)} wait`}</span>{children}</div>
      <Slots pool={pool} />
    </div>
  );
}
