"""The dialects: each a file with its routes and its answers; long tables have a file beside it.

route.py        what a dialect is made of
mapping.py      how a table is read
events.py       ours: events as the lake takes them
segment.py      Segment's HTTP API; its tables: segment_rows.py
snowplow.py     Snowplow's tracker protocol; its table: snowplow_rows.py; what the texts of parameters say:
                snowplow_values.py; a faster way for what trackers usually send: snowplow_usual.py
ga4.py          GA4's Measurement Protocol
cloudevents.py  CloudEvents 1.0 over HTTP
"""

from clicklake.collector.dialects import cloudevents, events, ga4, segment, snowplow
from clicklake.collector.dialects.route import Outcome, Route

__all__ = ["ROUTES", "Outcome", "Route"]

ROUTES: tuple[Route, ...] = (*events.ROUTES, *segment.ROUTES, *ga4.ROUTES, *snowplow.ROUTES, *cloudevents.ROUTES)
