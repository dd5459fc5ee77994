"""Tags of buckets and objects: which there may be. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html.
"""

import re
from collections.abc import Sequence

from localaws.errors import AwsError

_TEXT = re.compile(r"[\w\s.:/=+\-@]*")
_LONGEST_KEY, _LONGEST_VALUE = 128, 256


def check(tags: Sequence[tuple[str, str]], reserved: str) -> None:
    """Raises InvalidTag; `reserved`: what is said of a key that only AWS may use."""
    seen: set[str] = set()
    for name, value in tags:
        if name in seen:
            raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key", 400, TagKey=name)
        seen.add(name)
        if not 0 < len(name) <= _LONGEST_KEY or not _TEXT.fullmatch(name):
            raise AwsError("InvalidTag", "The TagKey you have provided is invalid", 400, TagKey=name)
        if len(value) > _LONGEST_VALUE or not _TEXT.fullmatch(value):
            raise AwsError("InvalidTag", "The TagValue you have provided is invalid", 400, TagKey=name, TagValue=value)
        if name.startswith("aws:"):
            raise AwsError("InvalidTag", reserved, 400, TagKey=name)
