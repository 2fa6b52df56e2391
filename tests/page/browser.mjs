// Chromium, and what must hold of every page that is opened in it.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
/** Screenshots of the last run. */
const pictures = `${root}/build/page`;
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function launch() {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
  assert.ok(executablePath, "no chromium: run scripts/install-deps.sh --test");
  // Root has no sandbox; what is opened is our own page only.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A page with an eye on its console, where a browser also tells what a policy refused. */
export async function open(browser, url, options = {}) {
  const { mayFail = false, ...context } = options;
  const opened = await browser.newContext({
    locale: "en-GB", timezoneId: "Europe/London", viewport: { width: 1280, height: 900 },
    ...context,
  });
  const page = await opened.newPage();
  page.setDefaultTimeout(60_000);
  const told = [];
  page.on("console", (message) => {
    const isOfNetwork = message.text().startsWith("Failed to load resource");
    if (["error", "warning"].includes(message.type()) && !(mayFail && isOfNetwork))
      told.push(message.text());
  });
  page.on("pageerror", (error) => told.push(String(error)));
  const outside = [];
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "blob:" && host !== new URL(url).host) outside.push(request.url());
  });
  await page.goto(url);
  page.end = async () => {
    await opened.close();
    assert.deepEqual(told, [], "the console has errors");
    assert.deepEqual(outside, [], "asked others than its server");
  };
  return page;
}

/** Waits until nothing is loading. */
export async function settled(page) {
  await page.waitForLoadState("networkidle");
  await page.waitForFunction(() => document.querySelector("[aria-busy=true]") === null);
}

export async function accessible(page, where) {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { violations: found } = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
  assert.deepEqual(violations, [], `axe on ${where}`);
}

export async function fits(page, where) {
  const over = await page.evaluate(() =>
    document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${where} is ${over} pixels wider than the window`);
}

export async function picture(page, name, options = {}) {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: `${pictures}/${name}.png`, ...options });
}
