#!/usr/bin/env bash
# Ours: events as the lake takes them, one, an array, or one a line.
set -euo pipefail
: "${COLLECTOR:=http://127.0.0.1:4566/collect}" "${WRITE_KEY:=demo}"
ID=$(date +%s)-$$ # an id of your own: an order's, say; a UUID otherwise

curl -sS --fail-with-body "$COLLECTOR/v1/events" \
  -H "X-Write-Key: $WRITE_KEY" \
  -H "Content-Type: application/x-ndjson" \
  --data-binary @- <<END
{"event_id": "$ID-1", "event_type": "page_view", "event_time": "$(date -u +%FT%TZ)", "anonymous_id": "a-17", "page_url": "https://shop.example/cart", "page_title": "Cart"}
{"event_id": "$ID-2", "event_type": "purchase", "event_time": "$(date -u +%FT%TZ)", "anonymous_id": "a-17", "value": 12.5, "currency": "EUR", "properties": {"order": "o-1"}}
END
