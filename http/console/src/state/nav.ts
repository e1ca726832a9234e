// Which pages there are for whoever is here: a page without routes or rights is not drawn.
import type { PageName } from "../rules/links.ts";
import { allProjects, may, offers } from "./session.ts";

/** `scope`: what a token needs to see it; `whole`: only who sees every project; `route`: only where the server has it. */
export interface NavRow { page: PageName; title: string; letter: string; scope?: string; whole?: true; route?: string }
export interface NavGroup { title: string; rows: NavRow[] }

export const navigation: NavGroup[] = [
  { title: "Watch", rows: [
    { page: "overview", title: "Overview", letter: "h", scope: "jobs:read" },
    { page: "jobs", title: "Jobs", letter: "j", scope: "jobs:read" },
    { page: "queues", title: "Queues", letter: "q", scope: "queues:read" },
    { page: "pools", title: "Pools and workers", letter: "w", scope: "queues:read" },
    { page: "schedules", title: "Schedules", letter: "s", scope: "schedules:read", route: "list_schedules" },
  ] },
  { title: "Delete", rows: [
    { page: "deletions", title: "Deletions", letter: "d", scope: "jobs:read", whole: true },
    { page: "operations", title: "Operations", letter: "o", scope: "jobs:read", route: "list_operations" },
    { page: "archive", title: "Archive", letter: "v", scope: "archive:read", route: "list_archive" },
    { page: "trace", title: "Trace", letter: "t", scope: "jobs:read" },
  ] },
  { title: "Tell", rows: [
    { page: "webhooks", title: "Webhooks", letter: "k", scope: "webhooks:read" },
    { page: "alerts", title: "Alerts", letter: "l", scope: "audit:read", route: "list_alerts" },
    { page: "audit", title: "Audit", letter: "a", scope: "audit:read", whole: true },
  ] },
  { title: "House", rows: [
    { page: "backups", title: "Backups", letter: "b", scope: "system:write", route: "list_backups" },
    { page: "snapshots", title: "Snapshots", letter: "n", scope: "audit:read", route: "list_snapshots" },
    { page: "settings", title: "Settings", letter: "e" },
  ] },
];

/** Why a page is not for this token, as a sentence; null when it is. */
export function missing(row: NavRow): string | null {
  if (row.route && !offers(row.route)) return "This server does not have it.";
  if (row.scope && !may(row.scope)) return `It needs the scope ${row.scope}, which this token does not have.`;
  if (row.whole && !allProjects()) return "It shows every project, and this token is of one.";
  return null;
}

export const allowedRows = (): NavRow[] => navigation.flatMap((group) => group.rows).filter((row) => missing(row) === null);
export const isAllowed = (page: string): boolean => allowedRows().some((row) => row.page === page);
