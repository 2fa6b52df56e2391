// What the page takes in a browser: node page.mjs URL ROUNDS METERS prints JSON, what was measured
// -> milliseconds, one for each time, and the packed bytes of the page's files.
// bench/page.py starts the server, and calls it.
import { launch } from "../tests/page/browser.mjs";

const [url, rounds, meters] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

/** Runs in the page before its own script. */
function watchKeys() {
  let key = 0;
  addEventListener("keydown", (event) => { key = event.timeStamp; }, true);
  const frame = () => new Promise(requestAnimationFrame);
  // A message is handled when the frame that asked for it has been painted.
  const painted = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(undefined);
  });
  const holds = {
    /** All that is listed begins so, and the server was asked for it. */
    search: (text) => {
      const found = [...document.querySelectorAll("#found li b")];
      return found.length > 0 && found.every(({ textContent }) => textContent.startsWith(text)) &&
        performance.getEntriesByType("resource").some(({ name }) =>
          new URL(name).searchParams.get("prefix") === text);
    },
    /** A cell for each day of a year, and a curve below it. */
    year: (meter) => document.querySelector("h1")?.textContent === meter &&
      document.querySelectorAll(".days .cell").length === 365 &&
      document.querySelector("[aria-label^='Load curve'] canvas") !== null,
    first: () => document.querySelectorAll("#page td").length > 0,
  };
  /** Measures up to the frame that shows it: from the last key, or else from the navigation. */
  globalThis.shown = async (name, of) => {
    do await frame(); while (!holds[name](of));
    await painted();
    return performance.measure(name, { start: key, end: performance.now() }).duration;
  };
}

async function open(browser, hash = "") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(watchKeys);
  await page.goto(`${url}/ui/${hash}`, { waitUntil: "commit" });
  return page;
}

const shown = (page, name, of) =>
  page.evaluate(([what, text]) => globalThis.shown(what, text), [name, of]);

/** Milliseconds from a key to the end of the frame that shows what it asks for. */
async function press(page, key, name, of) {
  await page.evaluate(([what, text]) => { globalThis.waiting = globalThis.shown(what, text); },
    [name, of]);
  await page.keyboard.press(key);
  return page.evaluate(() => globalThis.waiting);
}

async function firstPaint(page) {
  await page.waitForFunction(() =>
    performance.getEntriesByName("first-contentful-paint").length > 0);
  return page.evaluate(() =>
    performance.getEntriesByName("first-contentful-paint")[0].startTime);
}

/** Of the files that the page is made of, as they were sent. */
async function packedBytes(page) {
  return page.evaluate(async () => {
    await (await fetch(document.querySelector("link[rel=icon]").href)).arrayBuffer();
    return ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type))
      .filter(({ name }) => new URL(name).pathname.startsWith("/ui/"))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  });
}

const results = { paint: [], first: [], key: [], year: [], link: [] };
const browser = await launch();
for (let round = 0; round < rounds; ++round) {
  const id = (part) => "EE" + String(Math.floor(meters * (round + part) / rounds)).padStart(5, "0");
  const page = await open(browser);
  results.first.push(await shown(page, "first"));
  results.paint.push(await firstPaint(page));
  results.bytes ??= await packedBytes(page);
  await page.waitForLoadState("networkidle");
  await page.keyboard.press("/");
  await page.waitForLoadState("networkidle");
  const typed = id(0.37);
  for (let length = 1; length <= typed.length; ++length)
    results.key.push(await press(page, typed[length - 1], "search", typed.slice(0, length)));
  results.year.push(await press(page, "Enter", "year", typed));
  await page.context().close();

  const other = id(0.73);
  const linked = await open(browser, `#/meter/${other}?from=2019-01-01&to=2019-12-31`);
  results.link.push(await shown(linked, "year", other));
  await linked.context().close();
}
await browser.close();
console.log(JSON.stringify(results));
