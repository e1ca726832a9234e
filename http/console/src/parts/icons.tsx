// Small pictures, drawn here: strokes on a grid of 12 for states, of 16 for the rest.
import type { JSX } from "preact";

const line = { fill: "none", stroke: "currentColor", "stroke-linecap": "round", "stroke-linejoin": "round" } as const;

const states: Record<string, JSX.Element> = {
  running: <circle cx="6" cy="6" r="4.5" {...line} stroke-width="1.6" stroke-dasharray="14 8" />,
  queued: <><circle cx="6" cy="6" r="4.3" {...line} stroke-width="1.5" /><path d="M6 3.6V6l1.7 1.2" {...line} stroke-width="1.4" /></>,
  scheduled: <><rect x="1.8" y="2.6" width="8.4" height="7.6" rx="1.4" {...line} stroke-width="1.4" /><path d="M1.8 5.2h8.4M4.1 1.4v2M7.9 1.4v2" {...line} stroke-width="1.4" /></>,
  succeeded: <path d="M2.5 6.3 5 8.8l4.5-5.2" {...line} stroke-width="1.8" />,
  failed: <path d="M3 3l6 6M9 3l-6 6" {...line} stroke-width="1.8" />,
  cancelled: <><circle cx="6" cy="6" r="4.3" {...line} stroke-width="1.5" /><path d="M3.2 8.8l5.6-5.6" {...line} stroke-width="1.5" /></>,
  pending_delete: <path d="M2.5 3.5h7M5 3V2h2v1M3.6 3.5l.4 6.3h4l.4-6.3" {...line} stroke-width="1.3" />,
  delete_failed: <path d="M6 1.8 11 10.4H1zM6 5v2.4M6 9v.1" {...line} stroke-width="1.3" />,
};

const drawn: Record<string, string> = {
  overview: "M2.5 13.5v-5M6.2 13.5v-9M9.8 13.5V7M13.5 13.5v-11", jobs: "M2.5 4h11M2.5 8h11M2.5 12h7", queues: "M2.5 3.5h11v3h-11zM2.5 9.5h11v3h-11z",
  pools: "M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4zM9.5 9.5h4v4h-4z", schedules: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2M8 5v3.2l2.2 1.4",
  deletions: "M3 4.5h10M6.3 4V2.7h3.4V4M4.3 4.5l.6 9h6.2l.6-9M6.7 7v4M9.3 7v4", operations: "M2.5 12.5l3.2-3.6 2.6 2 5.2-6.4M10.4 4.5h3.1v3", archive: "M2.2 3h11.6v3H2.2zM3.2 6v7.2h9.6V6M6.4 8.7h3.2",
  trace: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.4 3.4", webhooks: "M6 6.5 3.6 10.7M5 4.2a2.2 2.2 0 1 1 3.8 1.9l2.3 4M12.2 9.7a2.2 2.2 0 1 1-2 3.3H5.8a2.2 2.2 0 1 1-2.6-3",
  alerts: "M8 2.3a4 4 0 0 0-4 4c0 3.6-1.5 4.7-1.5 4.7h11S12 9.900 12 6.300a4 4 0 0 0-4-4M6.700 13.300a1.500 1.500 0 0 0 2.600 0", audit: "M4 2.500h6l2.500 2.500v8.500H4zM6.200 7h4M6.200 9.700h4",
  backups: "M2.5 3.5h11v9h-11zM8 5.500v4.500M5.900 8 8 10.100 10.100 8", snapshots: "M2.500 5h2.600l1.100-1.700h3.600L10.900 5h2.600v8h-11zM8 6.700a2.300 2.300 0 1 0 0 4.600 2.300 2.300 0 0 0 0-4.600",
  settings: "M8 5.800a2.200 2.200 0 1 0 0 4.400 2.200 2.200 0 0 0 0-4.400M8 1.800v1.700M8 12.500v1.700M1.800 8h1.700M12.500 8h1.700M3.600 3.600l1.200 1.200M11.200 11.200l1.200 1.200M12.400 3.600l-1.200 1.200M4.800 11.200l-1.200 1.200",
  close: "M4 4l8 8M12 4l-8 8", menu: "M2.500 4.500h11M2.500 8h11M2.500 11.500h11", copy: "M5.500 5.500h7.500v8H5.500zM10.500 5.500v-3H3v8h2.500", check: "M3 8.500l3.200 3.200L13 4.800", warn: "M8 2.200 14.300 13.300H1.700zM8 6.500v3M8 11.500v.1",
  download: "M8 2.500v7.500M4.900 7.300 8 10.400l3.100-3.100M3 13.300h10", plus: "M8 3v10M3 8h10", more: "M3.500 8h.1M8 8h.1M12.500 8h.1", next: "M6 3.500 10.500 8 6 12.500", back: "M10 3.500 5.500 8l4.500 4.500", refresh: "M13 8a5 5 0 1 1-1.500-3.600M13 2.500v2.400h-2.400",
  play: "M5 3.300v9.400L12.500 8z", pause: "M5.500 3.500v9M10.500 3.500v9", sun: "M8 5.200a2.800 2.800 0 1 0 0 5.600 2.800 2.800 0 0 0 0-5.600M8 1.700v1.200M8 13.100v1.200M1.700 8h1.200M13.100 8h1.200", columns: "M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10", star: "M8 2.300l1.800 3.700 4 .6-2.900 2.800.7 4L8 11.500l-3.600 1.900.7-4L2.200 6.600l4-.6z", info: "M8 2.200a5.800 5.800 0 1 0 0 11.600A5.800 5.800 0 0 0 8 2.200M8 7.300v3.700M8 5v.1",
};

export function StateIcon({ name }: { name: string }): JSX.Element {
  return <svg viewBox="0 0 12 12" aria-hidden="true">{states[name] ?? states["queued"]}</svg>;
}

export function Icon({ name }: { name: string }): JSX.Element {
  return <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d={drawn[name] ?? ""} {...line} stroke-width={name === "more" ? "2.4" : "1.5"} /></svg>;
}

export function Mark(): JSX.Element {
  return <svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8" {...line} stroke-width="2.4" /><path d="M6 10h8" {...line} stroke-width="2.4" /></svg>;
}
