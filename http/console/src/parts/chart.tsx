// Two lines over time. uPlot comes only when a chart is drawn; what it shows is also said in words and as a table.
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import type { Rates } from "../state/rates.ts";
import { choices } from "../state/choices.ts";
import { clockTime, figure } from "../rules/times.ts";
import { t } from "../state/words.ts";

const perMinute = (list: Array<number | null>): Array<number | null> => list.map((n) => n === null ? null : n * 12);
const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function Throughput({ rates }: { rates: Rates }): JSX.Element {
  const box = useRef<HTMLDivElement>(null), chart = useRef<uPlot | null>(null);
  const latest = useRef(rates);
  latest.current = rates;
  const theme = choices.value.theme;
  useEffect(() => {
    let over = false, observer: ResizeObserver | null = null;
    void import("uplot").then(({ default: UPlot }) => {
      const at = box.current;
      if (over || !at) return;
      const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
      const now = latest.current;
      const made = new UPlot({
        width: at.clientWidth, height: 180, cursor: { show: false }, legend: { show: false }, padding: [8, 18, 0, 0],
        scales: { y: { range: (_, __, high) => [0, Math.max(10, high * 1.1)] } },
        axes: [{ ...axis, size: 28, space: 70, values: (_, ticks) => ticks.map((tick) => clockTime(new Date(tick * 1000).toISOString(), choices.value.zone).slice(0, 5)) }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000], values: (_, ticks) => ticks.map((tick) => figure(tick)) }],
        series: [{}, { stroke: colour("--accent"), width: 2, fill: `color-mix(in srgb, ${colour("--accent")} 10%, transparent)` }, { stroke: colour("--danger"), width: 2 }],
      }, [now.at, perMinute(now.ended), perMinute(now.deleted)], at);
      chart.current = made;
      observer = new ResizeObserver(() => made.setSize({ width: at.clientWidth, height: 180 }));
      observer.observe(at);
    });
    return () => { over = true; observer?.disconnect(); chart.current?.destroy(); chart.current = null; };
  }, [theme]);
  useEffect(() => { chart.current?.setData([rates.at, perMinute(rates.ended), perMinute(rates.deleted)]); }, [rates]);
  const sum = (list: Array<number | null>): number => list.reduce<number>((all, n) => all + (n ?? 0), 0);
  return (
    <figure>
      <div class="chart"><div ref={box} role="img" aria-label={`Jobs a minute since this page opened: ${sum(rates.ended)} ended and ${sum(rates.deleted)} deleted in all`} /></div>
      <figcaption class="legend"><span><i style={{ background: "var(--accent)" }} />{t("ended")}{" "}{figure(sum(rates.ended))}</span><span><i style={{ background: "var(--danger)" }} />{t("deleted")}{" "}{figure(sum(rates.deleted))}</span></figcaption>
    </figure>
  );
}
