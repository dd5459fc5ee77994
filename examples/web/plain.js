// A tracker that is short enough to be yours: copy it. An event stays in localStorage until the collector has it.
import { collector, writeKey } from "./settings.js";

const url = `${collector}/v1/events?write_key=${encodeURIComponent(writeKey)}`;
const PREFIX = "clicklake.event."; // an entry an event: two tabs never overwrite each other's
const MOST = 500; // events that wait; then the oldest go
const LARGEST = 60_000; // bytes of a batch: browsers allow 64 KiB to what ends even if the page is gone
const LONGEST = 3_600_000; // milliseconds of a pause
let kept, timer, sending = false, unanswered = false;
try { kept = localStorage; } catch { kept = {}; } // where storage is denied, memory has to do
const keep = (name, value) => { try { kept[name] = value; } catch { /* it is full: the page goes on */ } };

// `fields` are columns of the lake: {value: 12.5, currency: "EUR"}. What is in `properties` stays there.
export function track(event_type, properties = {}, fields = {}) {
  const anonymous_id = kept["clicklake.anonymous_id"] ?? crypto.randomUUID();
  const event = {
    event_id: crypto.randomUUID(), // stays the same whenever it is sent: what arrives twice counts once
    event_type,
    event_time: new Date().toISOString(),
    platform: "web",
    anonymous_id,
    user_id: kept["clicklake.user_id"],
    page_url: location.href,
    page_title: document.title,
    referrer: document.referrer,
    locale: navigator.language,
    ...fields,
    properties,
  };
  keep("clicklake.anonymous_id", anonymous_id);
  keep(`${PREFIX}${event.event_time} ${event.event_id}`, JSON.stringify(event));
  waiting().slice(0, -MOST).forEach((name) => delete kept[name]);
  later();
  return event.event_id;
}

export function identify(user_id, properties) {
  keep("clicklake.user_id", user_id);
  return track("identify", properties);
}

const waiting = () => Object.keys(kept).filter((name) => name.startsWith(PREFIX)).sort(); // the oldest first

function batch() {
  const sent_time = new Date().toISOString(); // shows the collector how wrong this clock is
  const names = [], events = [];
  let size = 0;
  for (const name of waiting()) {
    const text = JSON.stringify({ ...JSON.parse(kept[name]), sent_time });
    size += new Blob([text]).size + 2;
    if (names.length && size > LARGEST) break;
    names.push(name);
    events.push(text);
  }
  // A text goes as text/plain, for which a browser asks no leave (no preflight).
  return { names, body: `[${events}]`, keepalive: size <= LARGEST };
}

// The pause is every tab's and the next page's, too. One that is too long is from before the clock was put right.
function paused() {
  const left = kept["clicklake.until"] - Date.now();
  return left > 0 && left <= LONGEST ? left : 0;
}

function later() {
  timer ??= setTimeout(flush, Math.max(paused(), 100)); // what happens together is sent together
}

async function flush() {
  timer = undefined;
  if (sending || !navigator.onLine) return;
  if (paused()) return later();
  const { names, body, keepalive } = batch();
  if (!names.length) return;
  sending = true;
  const answer = await fetch(url, { method: "POST", body, keepalive }).catch(() => null);
  sending = false;
  unanswered = !answer;
  const isOver = [200, 400, 413].includes(answer?.status); // they are taken, or never will be
  if (isOver) names.forEach((name) => delete kept[name]);
  wait(isOver, 1_000 * answer?.headers.get("retry-after") || 0);
  if (waiting().length) later();
}

function wait(isOver, asked) {
  const pause = isOver ? 0 : Math.min(2 * kept["clicklake.pause"] || 2_000, 300_000);
  keep("clicklake.pause", pause);
  keep("clicklake.until", pause && Date.now() + Math.min(Math.max(pause, asked), LONGEST));
}

addEventListener("online", () => {
  if (unanswered) keep("clicklake.until", 0); // a network is back, which nobody had to wait for but us
  flush();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || paused()) return;
  const { names, body } = batch();
  // A beacon's answer reaches nobody. So its events stay, and the next page sends them again: they count once.
  if (names.length) navigator.sendBeacon(url, body);
});
later(); // what an earlier page has left
