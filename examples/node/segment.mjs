// Segment's SDK for Node: npm install @segment/analytics-node
import { Analytics } from "@segment/analytics-node";

const { COLLECTOR = "http://127.0.0.1:4566/collect", WRITE_KEY: writeKey = "demo" } = process.env;
const { origin, pathname: path } = new URL(`${COLLECTOR}/v1/batch`);

const analytics = new Analytics({ writeKey, host: origin, path }); // host alone would lose a /collect
analytics.on("error", (error) => {
  console.error("not sent:", error.reason ?? error);
  process.exitCode = 1;
});

const visitor = { anonymousId: "a-17", userId: "user-17", context: { ip: "203.0.113.7", userAgent: "Mozilla/5.0" } };
analytics.identify({ ...visitor, traits: { plan: "free" } });
analytics.page({ ...visitor, name: "Cart", properties: { url: "https://shop.example/cart", title: "Cart" } });
analytics.track({ ...visitor, event: "Order Completed", properties: { value: 12.5, currency: "EUR" } });

await analytics.closeAndFlush(); // waits until all is sent
