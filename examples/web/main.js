// What happens on the page is told to each tracker in its own words.
import * as plain from "./plain.js";
import { list, say } from "./said.js";
import { analytics } from "./segment.js";
import * as snowplow from "./snowplow.js";

const button = (id, told) => document.getElementById(id).addEventListener("click", told);

list();
say("plain", "page_view", plain.track("page_view"));
analytics.page();
snowplow.trackPageView();

button("add", () => {
  say("plain", "add_to_cart", plain.track("add_to_cart", { sku: "A-1" }, { value: 12.5, currency: "EUR" }));
  analytics.track("Product Added", { sku: "A-1", value: 12.5, currency: "EUR" });
  snowplow.trackStructEvent({ category: "shop", action: "add_to_cart", label: "A-1", value: 12.5 });
});

button("login", () => {
  say("plain", "identify", plain.identify("user-17", { plan: "free" }));
  analytics.identify("user-17", { plan: "free" });
  snowplow.setUserId("user-17"); // for this page alone
  snowplow.trackSelfDescribingEvent({
    event: { schema: "iglu:com.example/login/jsonschema/1-0-0", data: { plan: "free" } },
  });
});
