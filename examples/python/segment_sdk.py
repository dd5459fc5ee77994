"""Segment's SDK for Python: pip install segment-analytics-python."""

import os
import sys

from segment.analytics.client import Client

collector = os.environ.get("COLLECTOR", "http://127.0.0.1:4566/collect")
errors: list[Exception] = []
client = Client(os.environ.get("WRITE_KEY", "demo"), host=collector, on_error=lambda error, _: errors.append(error))

visitor = {"anonymous_id": "a-17", "context": {"ip": "203.0.113.7", "userAgent": "Mozilla/5.0"}}
client.identify("user-17", {"plan": "free"}, **visitor)
client.page("user-17", "Shop", "Cart", {"url": "https://shop.example/cart", "title": "Cart"}, **visitor)
client.track("user-17", "Order Completed", {"value": 12.5, "currency": "EUR"}, **visitor)

client.shutdown()  # waits until all is sent
sys.exit(f"not sent: {errors[0]}" if errors else 0)
