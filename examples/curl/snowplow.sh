#!/usr/bin/env bash
# Snowplow's tracker protocol (docs.snowplow.io, "Snowplow Tracker Protocol"); every value is a text.
set -euo pipefail
: "${COLLECTOR:=http://127.0.0.1:4566/collect}" "${WRITE_KEY:=demo}"
ID=$(date +%s)-$$ # an id of your own: an order's, say; a UUID otherwise

curl -sS --fail-with-body "$COLLECTOR/com.snowplowanalytics.snowplow/tp2" \
  -H "Content-Type: application/json" \
  --data-binary @- <<END
{
  "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
  "data": [
    {"e": "pv", "aid": "$WRITE_KEY", "p": "web", "tv": "curl", "eid": "$ID-1", "dtm": "$(date +%s)000", "duid": "a-17",
     "url": "https://shop.example/cart", "page": "Cart"}
  ]
}
END
