"""One request to the control plane as a value: made of a wire request, kept in the journal, handed to moto by WSGI."""

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from localaws.errors import AwsError
from localaws.wire import Request

Invoke = Callable[[str, dict[str, Any]], None]
"""How the control plane gives an event to a function, by its ARN; durable on return."""

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/x-amz-json-1.1"
_OWN_KEY = "localaws"
"""The access key of the endpoint's own calls."""

# Of the request's transport and signature, which are over when it gets here.
_TRANSPORT = re.compile(
    "accept-encoding|amz-sdk-.*|authorization|connection|content-length|expect|host|transfer-encoding|user-agent|"
    "x-amz-(checksum-.*|content-sha256|date|decoded-content-length|sdk-checksum-algorithm|security-token|trailer)"
)
_SIGNATURE = re.compile(r"(^|&)X-Amz-(Algorithm|Credential|Date|Expires|Security-Token|Signature|SignedHeaders)=[^&]*")
_SCOPE = re.compile(r"Credential=[^&,\s]*?(/|%2F)\d{8}(/|%2F)(?P<region>[\w-]+)(/|%2F)(?P<service>[\w.-]+)(/|%2F)")


@dataclass(frozen=True, slots=True)
class Call:
    """`service` is the SigV4 signing name; `path` and `query` are as on the wire; header names in lower case."""

    service: str
    region: str
    access_key: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, request: Request) -> "Call":
        """AwsError if it is signed for no region or service that there could be."""
        scope = _SCOPE.search(request.headers.get("authorization", "") or request.query)
        if scope is None:
            raise AwsError("InvalidSignatureException", "Credential should be scoped to a valid region.", 403)
        headers = {name: value for name, value in request.headers.items() if not _TRANSPORT.fullmatch(name)}
        if "aws-chunked" in headers.get("content-encoding", ""):
            del headers["content-encoding"]  # decoded on arrival
        return cls(
            service=scope["service"],
            region=scope["region"],
            access_key=request.caller.access_key,
            method=request.method,
            path=request.path,
            query=_SIGNATURE.sub("", request.query).removeprefix("&"),
            headers=headers,
            body=request.body.read(),
        )

    @classmethod
    def json(cls, service: str, region: str, target: str, parameters: Mapping[str, Any]) -> "Call":
        """The endpoint's own call in AWS JSON; `target` as in X-Amz-Target."""
        headers = {"content-type": _JSON, "x-amz-target": target}
        return cls(service, region, _OWN_KEY, "POST", "/", "", headers, json.dumps(parameters).encode())

    @classmethod
    def form(cls, service: str, region: str, fields: Mapping[str, str]) -> "Call":
        """The endpoint's own call in the query protocol; `fields` with Action and Version."""
        return cls(service, region, _OWN_KEY, "POST", "/", "", {"content-type": _FORM}, urlencode(fields).encode())

    @classmethod
    def from_entry(cls, entry: Mapping[str, Any]) -> "Call":
        return cls(**{**entry, "body": entry["body"].encode("latin-1")})

    def to_entry(self) -> dict[str, Any]:
        return {**asdict(self), "body": self.body.decode("latin-1")}

    @property
    def operation(self) -> str:
        """AWS's name of it; in the REST protocols, which do not send one, method and path."""
        target = self.headers.get("x-amz-target") or self.path.partition("/operation/")[2]  # JSON; RPC v2 CBOR
        if target:
            return target.rpartition(".")[2]
        return self._form().get("Action") or f"{self.method} {self.path}"

    def parameters(self) -> dict[str, Any]:
        """Of a JSON or query-protocol call; none if they can't be read, which moto will refuse."""
        if "x-amz-target" not in self.headers:
            return dict(self._form())
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            parsed = None
        return parsed if isinstance(parsed, dict) else {}

    def with_parameters(self, parameters: Mapping[str, Any]) -> "Call":
        text = json.dumps(parameters) if "x-amz-target" in self.headers else urlencode(parameters)
        return replace(self, query="", body=text.encode())

    def _form(self) -> dict[str, str]:
        """The query protocol's parameters, which a client may send in the URL or as a form."""
        is_form = self.headers.get("content-type", "").startswith(_FORM)
        text = self.query + "&" + (self.body.decode("latin-1") if is_form else "")
        return dict(parse_qsl(text, keep_blank_values=True))

    def environ(self) -> dict[str, Any]:
        """The call as WSGI has it (PEP 3333). The host is AWS's, so that the queue URLs and links which moto makes of
        it are the same in every run; the authorization names service and region, which is how moto routes."""
        host = f"{self.service}.{self.region}.amazonaws.com"
        scope = f"{self.access_key}/20000101/{self.region}/{self.service}/aws4_request"
        authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
        headers = {**self.headers, "host": host, "authorization": authorization}
        content_type = headers.pop("content-type", "")
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "RAW_URI": self.path,
            "QUERY_STRING": self.query,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(self.body)),
            "SERVER_NAME": host,
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
