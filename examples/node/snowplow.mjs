// Snowplow's tracker for Node: npm install @snowplow/node-tracker. The appId tells the collector the site.
import { buildPageView, buildSelfDescribingEvent, buildStructEvent, newTracker } from "@snowplow/node-tracker";

const { COLLECTOR: endpoint = "http://127.0.0.1:4566/collect", WRITE_KEY: appId = "demo" } = process.env;

const onRequestFailure = (failure, answer) => {
  console.error("not sent:", answer?.status ?? failure.message);
  process.exitCode = 1;
};
const tracker = newTracker({ namespace: "shop-server", appId }, { endpoint, bufferSize: 10, onRequestFailure });
tracker.setPlatform("srv");
tracker.setUserId("user-17");
tracker.setDomainUserId("a-17");
tracker.setIpAddress("203.0.113.7");
tracker.setUseragent("Mozilla/5.0");

tracker.track(buildPageView({ pageUrl: "https://shop.example/cart", pageTitle: "Cart" }));
tracker.track(buildStructEvent({ category: "shop", action: "purchase", label: "o-1", value: 12.5 }));
tracker.track(
  buildSelfDescribingEvent({ event: { schema: "iglu:com.example/login/jsonschema/1-0-0", data: { plan: "free" } } }),
);

await tracker.flush(); // sends what waits, and waits for the answer
