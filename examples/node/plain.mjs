// Send events with nothing but Node: a batch, tried again until it is taken.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { COLLECTOR = "http://127.0.0.1:4566/collect", WRITE_KEY = "demo" } = process.env;

// The id and the time are made once: a batch that is sent again must stay the same.
const event = (event_type, fields) => ({
  event_id: randomUUID(),
  event_type,
  event_time: new Date().toISOString(),
  platform: "server",
  ...fields,
});

async function send(events, tries = 8) {
  const headers = { "X-Write-Key": WRITE_KEY, "Content-Type": "application/json" };
  for (let pause = 250; tries > 0; tries -= 1, pause *= 2) {
    const request = { method: "POST", headers, body: JSON.stringify(events), signal: AbortSignal.timeout(10_000) };
    const answer = await fetch(`${COLLECTOR}/v1/events`, request).catch(() => null); // nobody there
    if (answer?.ok) return;
    if (answer && ![408, 429, 500, 502, 503, 504].includes(answer.status)) {
      throw new Error(`${answer.status}: ${await answer.text()}`);
    }
    await sleep(Math.max(pause, 1_000 * answer?.headers.get("retry-after") || 0)); // as long as it asks for
  }
  throw new Error(`${events.length} events could not be sent`);
}

// A server speaks for a visitor: `ip` and `user_agent` are the visitor's, from the request that the server got.
const visitor = { anonymous_id: "a-17", user_id: "user-17", ip: "203.0.113.7", user_agent: "Mozilla/5.0" };
await send([
  event("page_view", { page_url: "https://shop.example/cart", page_title: "Cart", ...visitor }),
  event("purchase", { value: 12.5, currency: "EUR", properties: { order: "o-1" }, ...visitor }),
]);
