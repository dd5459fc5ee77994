"""Snowplow's tracker for Python: pip install snowplow-tracker. The app_id tells the collector the site."""

import os
import sys

from snowplow_tracker import Emitter, PageView, SelfDescribing, SelfDescribingJson, StructuredEvent, Subject, Tracker

collector = os.environ.get("COLLECTOR", "http://127.0.0.1:4566/collect")
lost: list[int] = []
emitter = Emitter(collector, batch_size=10, on_failure=lambda _, failed: lost.append(len(failed)))

visitor = Subject().set_platform("srv").set_user_id("user-17").set_domain_user_id("a-17")
visitor.set_ip_address("203.0.113.7").set_useragent("Mozilla/5.0")
tracker = Tracker("shop-server", emitter, subject=visitor, app_id=os.environ.get("WRITE_KEY", "demo"))
tracker.track(PageView("https://shop.example/cart", page_title="Cart", referrer="https://shop.example/"))
tracker.track(StructuredEvent("shop", "purchase", label="o-1", value=12.5))
tracker.track(SelfDescribing(SelfDescribingJson("iglu:com.example/login/jsonschema/1-0-0", {"plan": "free"})))

tracker.flush()  # sends what waits, and waits for the answer
sys.exit(f"not sent: {lost[0]} events" if lost else 0)
