// One browser for a suite. Every page is watched: what its policy forbids, what it throws and what it asks is kept.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export class Browser {
  static async open() {
    const browser = new Browser();
    // The sandbox of the browser needs rights that containers do not give; only our own pages are opened.
    browser.program = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    browser.faults = [];
    browser.scans = 0;
    return browser;
  }

  async close() { await this.program.close(); }

  /** A person of their own: cookies, choices and tabs apart from all others. */
  async person({ width = 1440, height = 900, choices = {}, ...more } = {}) {
    const context = await this.program.newContext({ viewport: { width, height }, reducedMotion: "reduce", ...more });
    await context.addInitScript((kept) => { if (!localStorage.getItem("quell.choices")) localStorage.setItem("quell.choices", JSON.stringify(kept)); }, choices);
    const page = await context.newPage();
    this.watch(page);
    return page;
  }

  watch(page) {
    page.asked = [];
    page.on("request", (request) => page.asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
    page.on("pageerror", (fault) => this.faults.push(`${page.url()}: ${fault.stack ?? fault}`));
    page.on("console", (message) => { if (/Content Security Policy|Trusted ?Type/i.test(message.text())) this.faults.push(`${page.url()}: ${message.text()}`); });
    page.on("dialog", (dialog) => { this.faults.push(`${page.url()}: a script said ${dialog.message()}`); void dialog.dismiss(); });
  }

  async login(page, product, path = "/", token = product.token) {
    await page.goto(product.url + path);
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("header.top").waitFor();
    return page;
  }

  /** What axe finds on the page as it is now, each as one line. */
  async axe(page, name) {
    if (!await page.evaluate("typeof axe === 'object'")) await page.evaluate(axeSource);
    const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags } }), rules);
    this.scans += 1;
    return found.violations.map((one) => `${name}: ${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => `${node.target.join(" ")} (${node.failureSummary?.split("\n").slice(1, 2).join(" ").trim()})`).join("; ")}`);
  }
}

/** Live, and its stream open: only then does a change reach the page. */
export async function isLive(page) {
  await page.locator(".live.is-live").waitFor();
}

export const rowOf = (page, id) => page.locator(`tr[data-job="${id}"]`);

export const isWide = async (page) => await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
