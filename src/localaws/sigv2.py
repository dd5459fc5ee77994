"""Signature Version 2, for S3's presigned URLs only: boto3 still makes them by default in the older regions.

docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html. What is signed is built by botocore's own signer.
Headers signed with version 2 are refused: every SDK of the last ten years signs those with version 4.
"""

import base64
import hmac
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import botocore.auth
import botocore.credentials
from botocore.compat import HTTPHeaders

from localaws.sigv4 import Claim, Head, refuse


def claim(head: Head) -> Claim | None:
    """The claim of a version 2 URL, else None. Its `expires` counts from the epoch, so its time is the epoch."""
    given = {name: values[0] for name, values in parse_qs(head.query).items()}
    if not {"AWSAccessKeyId", "Signature"} <= given.keys() or not re.fullmatch("[0-9]{1,12}", given.get("Expires", "")):
        return None
    epoch = datetime.fromtimestamp(0, UTC)
    token = given.get("x-amz-security-token")
    key, signature, expires = given["AWSAccessKeyId"], given["Signature"], int(given["Expires"])
    return Claim(key, f"{epoch:%Y%m%d}", "", "s3", (), signature, epoch, token, expires)


def check_signature(claim: Claim, head: Head, secret: str, bucket_host: str | None) -> None:
    """AwsError SignatureDoesNotMatch if the secret does not make the URL's signature."""
    signer = _UrlSigner(botocore.credentials.Credentials(claim.access_key, secret), claim)
    headers = HTTPHeaders()
    for name, value in head.headers.items():
        if name in {"content-md5", "content-type"} or name.startswith("x-amz-"):
            headers[name] = value
    if claim.session_token:
        headers["x-amz-security-token"] = claim.session_token
    path = f"/{bucket_host}{head.path}" if bucket_host else head.path
    path += "/" if path.count("/") == 1 and path != "/" else ""  # a bucket alone (botocore.handlers, authPath)
    text = signer.canonical_string(head.method, urlsplit(f"{path}?{head.query}"), headers, auth_path=path)
    expected = base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise refuse("mismatch", "rest-xml", "The request signature we calculated does not match the one you provided")


class _UrlSigner(botocore.auth.HmacV1Auth):  # type: ignore[misc]
    """In a URL the time of expiry stands in the place of the date."""

    def __init__(self, credentials: botocore.credentials.Credentials, claim: Claim) -> None:
        super().__init__(credentials)
        self._claim = claim

    def _get_date(self) -> str:
        return str(self._claim.expires)
