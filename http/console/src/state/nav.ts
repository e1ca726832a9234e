// Which pages there are for whoever is here: a page without routes or rights is not drawn.
import { allProjects, may, offers } from "./session.ts";

export interface NavRow { page: string; title: string; letter: string; when: () => boolean }
export interface NavGroup { title: string; rows: NavRow[] }

export const navigation: NavGroup[] = [
  { title: "Watch", rows: [
    { page: "overview", title: "Overview", letter: "h", when: () => may("jobs:read") },
    { page: "jobs", title: "Jobs", letter: "j", when: () => may("jobs:read") },
    { page: "queues", title: "Queues", letter: "q", when: () => may("queues:read") },
    { page: "pools", title: "Pools and workers", letter: "w", when: () => may("queues:read") },
    { page: "schedules", title: "Schedules", letter: "s", when: () => offers("list_schedules") && may("schedules:read") },
  ] },
  { title: "Delete", rows: [
    { page: "deletions", title: "Deletions", letter: "d", when: () => may("jobs:read") && allProjects() },
    { page: "operations", title: "Operations", letter: "o", when: () => offers("list_operations") && may("jobs:read") },
    { page: "archive", title: "Archive", letter: "v", when: () => offers("list_archive") && may("archive:read") },
    { page: "trace", title: "Trace", letter: "t", when: () => may("jobs:read") },
  ] },
  { title: "Tell", rows: [
    { page: "webhooks", title: "Webhooks", letter: "k", when: () => may("webhooks:read") },
    { page: "alerts", title: "Alerts", letter: "l", when: () => offers("list_alerts") && may("audit:read") },
    { page: "audit", title: "Audit", letter: "a", when: () => may("audit:read") && allProjects() },
  ] },
  { title: "House", rows: [{ page: "settings", title: "Settings", letter: "e", when: () => true }] },
];

export const allowedRows = (): NavRow[] => navigation.flatMap((group) => group.rows).filter((row) => row.when());
export const isAllowed = (page: string): boolean => allowedRows().some((row) => row.page === page);
