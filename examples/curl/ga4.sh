#!/usr/bin/env bash
# GA4's Measurement Protocol (developers.google.com/analytics/devguides/collection/protocol/ga4); api_secret is the write key.
set -euo pipefail
: "${COLLECTOR:=http://127.0.0.1:4566/collect}" "${WRITE_KEY:=demo}"

curl -sS --fail-with-body "$COLLECTOR/mp/collect?measurement_id=G-1&api_secret=$WRITE_KEY" --data-binary @- <<END
{
  "client_id": "a-17",
  "user_id": "user-17",
  "timestamp_micros": "$(date +%s)000000",
  "events": [
    {"name": "page_view", "params": {"page_location": "https://shop.example/cart", "page_title": "Cart", "session_id": "123"}},
    {"name": "purchase", "params": {"transaction_id": "o-1", "value": 12.5, "currency": "EUR"}}
  ]
}
END
