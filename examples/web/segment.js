// Segment's analytics.js without an account at Segment: its settings come from the collector, and there its events go.
import { AnalyticsBrowser } from "@segment/analytics-next";
import { say } from "./said.js";
import { collector, writeKey } from "./settings.js";

const [protocol, address] = collector.split("://");

export const analytics = AnalyticsBrowser.load(
  { writeKey, cdnURL: collector },
  {
    integrations: {
      "Segment.io": {
        protocol,
        apiHost: `${address}/v1`,
        deliveryStrategy: { config: { keepalive: true } }, // a request ends even if the page is gone before
      },
    },
  },
);

analytics.addSourceMiddleware(({ payload: { obj }, next, payload }) => {
  say("segment", obj.event ?? obj.type, obj.messageId);
  next(payload);
});
