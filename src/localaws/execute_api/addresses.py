"""Which API a request is for, or which function's own URL. Pure.

http://127.0.0.1:4566/_execute-api/a1b2c3d4e5/v1/track        no bucket's name begins with `_`
http://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/v1/track
http://a1b2c3d4e5.execute-api.localhost:4566/v1/track
"""

import re

from localaws.sigv4 import Head

PREFIX, URL_PREFIX = "/_execute-api/", "/_function-url/"
_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.execute-api\.([a-z0-9-]+\.)?(amazonaws\.com|localhost)")
_URL_HOST = re.compile(r"(?P<api>[a-z0-9]+)\.lambda-url\.([a-z0-9-]+\.)?localhost")


def place(head: Head) -> tuple[str, str] | None:
    """The API's id and the path as that API sees it, as on the wire; None if the request is for none."""
    return _found(head, PREFIX, ".execute-api.", _HOST)


def function_url(head: Head) -> tuple[str, str] | None:
    """The URL's id and the path, likewise."""
    return _found(head, URL_PREFIX, ".lambda-url.", _URL_HOST)


def _found(head: Head, prefix: str, label: str, pattern: re.Pattern[str]) -> tuple[str, str] | None:
    if head.path.startswith(prefix):
        name, slash, rest = head.path[len(prefix) :].partition("/")
        return name, slash + rest or "/"
    if label not in head.headers.get("host", "").lower():  # asked for every request to the endpoint
        return None
    found = pattern.fullmatch(host(head))
    return (found["api"], head.path) if found else None


def host(head: Head) -> str:
    """Without the port, in lower case."""
    return re.sub(r":\d*$", "", head.headers.get("host", "")).lower()


def domain(api: str, region: str, head: Head) -> str:
    """The name that the function is told: as on AWS, unless the client named the API's host itself."""
    given = host(head)
    return given if _HOST.fullmatch(given) else f"{api}.execute-api.{region}.amazonaws.com"


def endpoint(url: str, api: str) -> str:
    """What ApiEndpoint says; `url` is this endpoint's."""
    return url + PREFIX + api


def function_url_address(url: str, url_id: str) -> str:
    return f"{url}{URL_PREFIX}{url_id}/"
