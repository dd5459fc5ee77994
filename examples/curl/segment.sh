#!/usr/bin/env bash
# Segment's HTTP API (segment.com/docs/connections/sources/catalog/libraries/server/http-api).
set -euo pipefail
: "${COLLECTOR:=http://127.0.0.1:4566/collect}" "${WRITE_KEY:=demo}"
ID=$(date +%s)-$$ # an id of your own: an order's, say; a UUID otherwise

curl -sS --fail-with-body "$COLLECTOR/v1/track" \
  --user "$WRITE_KEY:" \
  -H "Content-Type: application/json" \
  --data-binary @- <<END
{
  "messageId": "$ID-1",
  "timestamp": "$(date -u +%FT%TZ)",
  "anonymousId": "a-17",
  "userId": "user-17",
  "event": "Order Completed",
  "properties": {"value": 12.5, "currency": "EUR"},
  "context": {"page": {"url": "https://shop.example/cart", "title": "Cart"}}
}
END
