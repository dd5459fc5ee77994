"""clicklake.Producer: no collector between, straight to the stream, with AWS credentials (docs/producer.md)."""

import clicklake

visitor = {"anonymous_id": "a-17", "user_id": "user-17", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
with clicklake.Producer() as producer:
    producer.track(
        {"event_type": "page_view", "page_url": "https://shop.example/cart", "platform": "server", **visitor}
    )
    producer.track({"event_type": "purchase", "value": 12.5, "currency": "EUR", "platform": "server", **visitor})
