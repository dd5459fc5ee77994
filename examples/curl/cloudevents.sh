#!/usr/bin/env bash
# CloudEvents 1.0 over HTTP, in structured mode (github.com/cloudevents/spec, http-protocol-binding.md, 3.2).
set -euo pipefail
: "${COLLECTOR:=http://127.0.0.1:4566/collect}" "${WRITE_KEY:=demo}"
ID=$(date +%s)-$$ # an id of your own: an order's, say; a UUID otherwise

curl -sS --fail-with-body "$COLLECTOR/v1/cloudevents" \
  -H "X-Write-Key: $WRITE_KEY" \
  -H "Content-Type: application/cloudevents+json" \
  --data-binary @- <<END
{
  "specversion": "1.0",
  "id": "$ID-1",
  "source": "https://shop.example/checkout",
  "type": "example.shop.order",
  "time": "$(date -u +%FT%TZ)",
  "data": {"order": "o-1", "value": 12.5, "currency": "EUR"}
}
END
