// How the peers say their figures: the same lines as our own programs, so that one report reads all.
import os from "node:os";

export const quick = process.env.PEER_QUICK === "1";
export const size = (full, small) => (quick ? small : full);
export const seconds = (from) => (performance.now() - from) / 1e3;
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const figuresOf = (system) => (bench, figure, samples, unit, better) => {
  const sorted = [].concat(samples).sort((a, b) => a - b);
  const [median, min, max] = [sorted[Math.floor(sorted.length / 2)], sorted[0], sorted.at(-1)];
  const spread = sorted.length > 1 ? ` ${min.toFixed(3)}..${max.toFixed(3)}, n ${sorted.length}` : "";
  console.log(`${`${bench} ${system}`.padEnd(28)} ${figure.padEnd(44)} ${median.toFixed(3).padStart(13)} ${unit}${spread}`);
  console.log(JSON.stringify({
    bench, store: system, figure, unit, better, median, min, max, n: sorted.length, quick, peer: true,
    commit: process.env.BENCH_COMMIT ?? "",
    machine: { cores: os.cpus().length, cpu: os.cpus()[0].model, memory_gb: Math.floor(os.totalmem() / 1e9) },
  }));
};

export const percentile = (samples, p) => [...samples].sort((a, b) => a - b)[Math.floor(p * (samples.length - 1))];

// `total` calls, `window` of them under way at once; calls a second.
export const inFlight = async (window, total, call) => {
  let sent = 0;
  const from = performance.now();
  await Promise.all(Array.from({ length: window }, async () => { while (sent++ < total) await call(); }));
  return total / seconds(from);
};
