// Snowplow's browser tracker. It has no write key: the collector knows the site by its appId.
import { addPlugin, newTracker } from "@snowplow/browser-tracker";
import { say } from "./said.js";
import { collector, writeKey } from "./settings.js";

newTracker("sp", collector, {
  appId: writeKey,
  contexts: { webPage: true, session: true },
  keepalive: true, // a request ends even if the page is gone before
});

addPlugin({ plugin: { afterTrack: ({ e, eid }) => say("snowplow", e, eid) } });

export { setUserId, trackPageView, trackSelfDescribingEvent, trackStructEvent } from "@snowplow/browser-tracker";
