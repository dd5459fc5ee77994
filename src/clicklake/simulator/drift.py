"""What a new release changes in the events half-way, without telling anyone: a schema drifts.

Each app has its own surprise: a property that nobody knew, a number that becomes text, a field of another name with a
time of another form.
"""

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]


def _new_property(document: Document) -> Document:
    return {**document, "properties": {**document["properties"], "experiment": {"name": "checkout_2", "arm": "b"}}}


def _number_as_text(document: Document) -> Document:
    return {**document, "value": f"{document['value']:.2f}"} if "value" in document else document


def _other_names(document: Document) -> Document:
    """As Segment's libraries say it: `event`, and a time in milliseconds."""
    renamed = {"event" if name == "event_type" else name: value for name, value in document.items()}
    return {"timestamp" if name == "event_time" else name: value for name, value in renamed.items()}


# By app: what the release is called in the truth, and what it does.
RELEASES: dict[str, tuple[str, Callable[[Document], Document]]] = {
    "shop-web": ("a new property", _new_property),
    "shop-android": ("value is text", _number_as_text),
    "shop-ios": ("other names", _other_names),
}
