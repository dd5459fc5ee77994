// Three pages of examples/web in headless Chromium, each with 250 events by plain.js and half a second long, while a collector
// refuses whatever comes: node refused.mjs URL CHROMIUM PORT. Prints, for each refusal below, how many times events were
// sent, how many bytes at most, and how many wait in the browser in the end.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import puppeteer from "puppeteer-core";

const [url, executablePath, port] = process.argv.slice(2);
const refusals = [[429, { "retry-after": "60" }], [429, {}], [413, {}]];
const args = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"];
const browser = await puppeteer.launch({ executablePath, args, headless: true, pipe: true });

let posts = [], refusal;
const cors = { "access-control-allow-origin": url.replace(/\/$/, ""), "access-control-expose-headers": "retry-after" };
const server = http.createServer(async (request, answer) => {
  let size = 0;
  for await (const piece of request) size += piece.length;
  if (request.url.startsWith("/collect/v1/events")) posts.push(size);
  answer.writeHead(refusal[0], { ...cors, "access-control-allow-credentials": "true", ...refusal[1] }).end();
});
await new Promise((done) => server.listen(port, "127.0.0.1", done));

const seen = [];
for (refusal of refusals) {
  posts = [];
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  for (let number = 0; number < 3; number += 1) {
    await page.goto(url);
    await page.evaluate(async () => {
      const { track } = await import("/plain.js");
      for (let number = 0; number < 250; number += 1) track("scroll", { number, text: "x".repeat(500) });
    });
    await sleep(500);
  }
  await sleep(1_500);
  const names = await page.evaluate(() => Object.keys(localStorage));
  const left = names.filter((name) => name.startsWith("clicklake.event.")).length;
  seen.push({ refusal: refusal[0], posts: posts.length, largest: Math.max(...posts), left });
  await context.close();
}
console.log(JSON.stringify(seen));
await browser.close();
process.exit();
