// A visitor of examples/web in headless Chromium: node walk.mjs URL CHROMIUM PORT COLLECTOR-PORT. The page's collector is at
// PORT; what comes there is passed on as long as there is a network. Prints what the page says it tracked, and every host
// that it asked for anything, as JSON. No host but this machine can be found.
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import puppeteer from "puppeteer-core";

const [url, executablePath, port, collectorPort] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
// By pipe: it ends with us, however we end.
const browser = await puppeteer.launch({ executablePath, args, headless: true, pipe: true });
const page = await browser.newPage();

const seen = { hosts: new Set(), answered: [], refused: [], errors: [] };
let isThere = true; // the network
page.on("request", (request) => seen.hosts.add(new URL(request.url()).host));
page.on("requestfinished", (request) => seen.answered.push(request.postData() ?? ""));
page.on("response", (answer) => answer.status() >= 400 && seen.refused.push(`${answer.status()} ${answer.url()}`));
page.on("pageerror", (error) => seen.errors.push(String(error)));

// Chromium's offline mode says so to the page, and ends its requests, but beacons get through: the wire is cut, too.
const sockets = new Set();
const relay = net.createServer((from) => {
  if (!isThere) return from.destroy();
  const to = net.connect(collectorPort, "127.0.0.1");
  for (const [one, other] of [[from, to], [to, from]]) {
    sockets.add(one);
    one.on("error", () => other.destroy()).on("close", () => other.destroy() && sockets.delete(one));
    one.pipe(other);
  }
});
await new Promise((done) => relay.listen(port, "127.0.0.1", done));

async function network(on) {
  if (!on) {
    isThere = false;
    sockets.forEach((socket) => socket.destroy());
  }
  await page.setOfflineMode(!on);
  isThere = on;
}

const said = (number) =>
  page.waitForFunction((number) => JSON.parse(localStorage.said).length >= number, { polling: 20 }, number);

// Each event that the page says it tracked; `waits` if its tracker keeps it in localStorage until it has arrived.
const told = () =>
  page.evaluate(() => {
    const queues = Object.entries(localStorage).filter(([name]) => /^(clicklake\.event\.|snowplowOutQueue_)/.test(name));
    const waiting = JSON.stringify(queues);
    return JSON.parse(localStorage.said).map((event) => ({ ...event, waits: waiting.includes(event.event_id) }));
  });

// Segment's keeps what has no answer when the page goes, and sends it again; else after up to 5 seconds, by chance.
async function allIsSent(seconds) {
  const deadline = Date.now() + 1000 * seconds;
  const isSent = ({ tracker, event_id, waits }) =>
    tracker === "segment" ? seen.answered.some((body) => body.includes(event_id)) : !waits;
  while (Date.now() < deadline && !(await told()).every(isSent)) await sleep(25);
}

await page.goto(url);
await said(3);
await page.click("#add");
await page.click("#login");
await said(9);
await allIsSent(10);

// A click, and the page goes at once: requests are under way, or have not begun.
await page.click("#add");
await Promise.all([page.waitForNavigation(), page.click("#cart")]);
await said(15);
await allIsSent(10);

// Offline and back, on one page.
await network(false);
await page.click("#add");
await said(18);
await network(true);
await page.click("#add"); // Snowplow's tries again with the next event
await said(21);
await allIsSent(10);

// The page is hidden while there is no network; what is left is sent by the next page.
await network(false);
await page.click("#add");
await said(24);
await page.goto("about:blank");
await network(true);
await page.goto(`${url}?page=back`);
await said(27);
await allIsSent(20);

const visitor = await page.evaluate(() => ({
  user_agent: navigator.userAgent,
  anonymous_id: localStorage["clicklake.anonymous_id"],
  title: document.title,
}));
const hosts = [...seen.hosts].filter(Boolean);
console.log(JSON.stringify({ ...visitor, ...seen, answered: undefined, hosts, said: await told() }));
await browser.close();
process.exit();
