"""Applications that the product has below paths of its own, such as /collect: localaws knows nothing else of them.

They get what nobody signed. What says that it is signed, or is for a bucket's own host, is S3's: a bucket may be called
`collect`. Who may send to them, and from which pages, is theirs to say.
"""

from collections.abc import Callable, Mapping
from functools import partial

from localaws.asgi import SERVICE, App, Receive, Scope, Send
from localaws.sigv4 import Head

_SIGNED = ("X-Amz-Signature=", "X-Amz-Credential=", "AWSAccessKeyId=")


class Mounts:
    """`apps` by the path that they are below; for any other request `otherwise` says whose it is."""

    def __init__(self, apps: Mapping[str, App], otherwise: Callable[[Head], App | None]) -> None:
        self._apps = {f"{path}/": partial(_named, app, path.strip("/")) for path, app in apps.items()}
        self._otherwise = otherwise

    def find(self, head: Head) -> App | None:
        whole = f"{head.path}/"  # who asks for /collect means the same as who asks for what is below
        for path, app in self._apps.items():
            if whole.startswith(path) and not _is_signed(head) and not _is_of_a_bucket(head):
                return app
        return self._otherwise(head)


async def _named(app: App, name: str, scope: Scope, receive: Receive, send: Send) -> None:
    """As which service it answers, for whoever counts."""
    scope[SERVICE] = name
    await app(scope, receive, send)


def _is_signed(head: Head) -> bool:
    """Or says that it is: a preflight of a presigned URL carries its signature."""
    return head.headers.get("authorization", "").startswith("AWS") or any(word in head.query for word in _SIGNED)


def _is_of_a_bucket(head: Head) -> bool:
    """`bucket.localhost`, `bucket.s3.us-east-1.amazonaws.com`, as server.py reads them."""
    name = head.headers.get("host", "").partition(":")[0]
    return ".s3." in name or (name.endswith(".localhost") and name != "s3.localhost")
