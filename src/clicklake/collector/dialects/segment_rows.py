"""What of Segment's calls is which field, and who sends them: docs/dialect-segment.md shows these tables."""

from collections.abc import Mapping

from clicklake.collector.dialects.mapping import Row

# Both times are the client's clock's, and sentAt, too, so that a wrong clock can be told. Where Segment itself passes
# an event on, `originalTimestamp` is what the client said and `timestamp` what Segment made of it.
COMMON = (
    Row("messageId", "event_id"),
    Row("originalTimestamp", "event_time"),
    Row("timestamp", "event_time"),
    Row("sentAt", "sent_time"),
    Row("userId", "user_id"),
    Row("anonymousId", "anonymous_id"),
    Row("context.page.url", "page_url"),
    Row("context.page.title", "page_title"),
    Row("context.page.referrer", "referrer"),
    Row("context.userAgent", "user_agent"),
    Row("context.ip", "ip"),
    Row("context.locale", "locale"),
)
# `revenue` is money, `value` what an event without revenue is worth (spec/track, "Properties").
WORTH = (
    Row("properties.revenue", "value"),
    Row("properties.value", "value"),
    Row("properties.currency", "currency"),
)
# The page that a page call is about; a track call's `url` may be a link that was clicked.
PAGE = (
    Row("properties.url", "page_url"),
    Row("properties.title", "page_title"),
    Row("properties.referrer", "referrer"),
)
ROWS: Mapping[str, tuple[Row, ...]] = {
    "track": (Row("event", "event_type"), *WORTH, *COMMON),
    "page": (*PAGE, *WORTH, *COMMON),
    "screen": (*WORTH, *COMMON),
    "identify": COMMON,
    "group": COMMON,
    "alias": COMMON,
}
EVENT_TYPES: Mapping[str, str] = {
    "page": "page_view",
    "screen": "screen_view",
    "identify": "identify",
    "group": "group",
    "alias": "alias",
}
# `context.library.name`. Only a library on the visitor's own device speaks of the request's address and user agent.
_LANGUAGES = ("clojure", "go", "java", "node", "php", "python", "ruby")
SERVER_LIBRARIES: Mapping[str, str] = dict.fromkeys(
    ("@segment/analytics-node", "Analytics.NET", *(f"analytics-{name}" for name in _LANGUAGES)), "server"
)
DEVICE_LIBRARIES: Mapping[str, str] = {
    "analytics.js": "web",
    "analytics-ios": "ios",
    "analytics-android": "android",
    # Of these `context.device.type` says where they run.
    "analytics-swift": "",
    "analytics-kotlin": "",
    "analytics-react-native": "",
    "@segment/analytics-react-native": "",
    "analytics-flutter": "",
    "analytics_flutter": "",
}
DEVICE_TYPES: Mapping[str, str] = {"ios": "ios", "android": "android"}
