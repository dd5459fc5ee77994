"""Accounts as S3 names them: by canonical user ids. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html. Since November 2025 S3 tells a
DisplayName only of who began an upload (API/API_Owner.html; LocalStack's recordings of AWS, February 2026).
"""

import hashlib

HOME = "000000000000"
"""The endpoint's own account."""
_ANONYMOUS = "65a011a29cdf8ec533ec3d1ccaae921c"


def canonical_id(account: str) -> str:
    """Nobody ("") has one, too, which owns what everybody may write."""
    return hashlib.sha256(account.encode()).hexdigest()[:52] + account if account else _ANONYMOUS


def owner(account: str) -> dict[str, str]:
    return {"ID": canonical_id(account)}


def initiator(account: str) -> dict[str, str | None]:
    return {"ID": canonical_id(account), "DisplayName": account or None}
