// A tracker that is short enough to be yours: copy it. An event stays in localStorage until the collector has it.
import { collector, writeKey } from "./settings.js";

const url = `${collector}/v1/events?write_key=${encodeURIComponent(writeKey)}`;
const PREFIX = "clicklake.event."; // an entry an event: two tabs never overwrite each other's
let kept, sending = false, pause = 2_000;
try { kept = localStorage; } catch { kept = {}; } // where storage is denied, memory has to do
const keep = (name, value) => { try { kept[name] = value; } catch { /* it is full: the page goes on */ } };

export function track(event_type, properties = {}) {
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
    properties,
  };
  keep("clicklake.anonymous_id", anonymous_id);
  keep(PREFIX + event.event_id, JSON.stringify(event));
  setTimeout(flush, 100); // what happens together is sent together
  return event.event_id;
}

export function identify(user_id, properties) {
  keep("clicklake.user_id", user_id);
  return track("identify", properties);
}

const waiting = () => Object.entries(kept).filter(([name]) => name.startsWith(PREFIX)).slice(0, 30);
const batch = (entries) => {
  const sent_time = new Date().toISOString(); // shows the collector how wrong this clock is
  return JSON.stringify(entries.map(([, event]) => ({ ...JSON.parse(event), sent_time })));
};

async function flush() {
  const entries = waiting();
  if (sending || !entries.length || !navigator.onLine) return;
  sending = true;
  const body = batch(entries); // a text goes as text/plain, for which a browser asks no leave (no preflight)
  const keepalive = new Blob([body]).size < 60_000; // it ends even if the page is gone; browsers allow 64 KiB
  const { status } = await fetch(url, { method: "POST", body, keepalive }).catch(() => ({ status: 0 }));
  if ([200, 400, 413].includes(status)) entries.forEach(([name]) => delete kept[name]); // taken, or never will be
  pause = status === 200 ? 2_000 : Math.min(2 * pause, 300_000);
  sending = false;
  if (waiting().length) setTimeout(flush, status === 200 ? 0 : pause);
}

addEventListener("online", flush);
document.addEventListener("visibilitychange", () => {
  // A beacon's answer reaches nobody. So its events stay, and the next page sends them again: they count once.
  if (document.visibilityState === "hidden" && waiting().length) navigator.sendBeacon(url, batch(waiting()));
});
flush(); // what an earlier page has left
