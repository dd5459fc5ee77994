"""The dialects: each a file with its table, its routes and its answers.

route.py        what a dialect is made of
mapping.py      how a table is read
events.py       ours: events as the lake takes them
segment.py      Segment's HTTP API
snowplow.py     Snowplow's tracker protocol
ga4.py          GA4's Measurement Protocol
cloudevents.py  CloudEvents 1.0 over HTTP
"""

from clicklake.collector.dialects import cloudevents, events, ga4, segment, snowplow
from clicklake.collector.dialects.route import Outcome, Route

__all__ = ["ROUTES", "Outcome", "Route"]

ROUTES: tuple[Route, ...] = (*events.ROUTES, *segment.ROUTES, *ga4.ROUTES, *snowplow.ROUTES, *cloudevents.ROUTES)
