"""Accounts as S3 names them: by canonical user ids. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html. DisplayName, which S3 no longer answers
since November 2025, is still answered: clients of before read it.
"""

import hashlib
import re

HOME = "000000000000"
"""The endpoint's own account."""
_ANONYMOUS = "65a011a29cdf8ec533ec3d1ccaae921c"
_ID = re.compile("[0-9a-f]{52}([0-9]{12})")


def canonical_id(account: str) -> str:
    """Nobody ("") has one, too, which owns what everybody may write."""
    return hashlib.sha256(account.encode()).hexdigest()[:52] + account if account else _ANONYMOUS


def display_name(id_: str) -> str | None:
    """The account, of an id that is one of this endpoint's."""
    found = _ID.fullmatch(id_)
    return found[1] if found and canonical_id(found[1]) == id_ else None


def owner(account: str) -> dict[str, str | None]:
    """An Owner or Initiator."""
    id_ = canonical_id(account)
    return {"ID": id_, "DisplayName": display_name(id_)}
