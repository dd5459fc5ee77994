"""The front door: one ASGI application for every service.

A request's walk: head -> claim (whose signature is it, for which service) -> payload -> signature -> the service's
Handler -> answer. Nothing reaches a service before its signature was verified. The endpoint's own pages need none, and
S3 gets what nobody signed as such.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localaws import durable, sigv2, sigv4
from localaws.asgi import SERVICE, App, Receive, Scope, Send, chunks, head_of, send_response
from localaws.credentials import Key, Keyring
from localaws.errors import AwsError
from localaws.gate import Gate
from localaws.payload import Spool, receive
from localaws.wire import NOBODY, Body, Caller, Handler, Request, Response, Span, error_response

log = logging.getLogger("localaws")

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# S3 takes 5 GiB in one request, Lambda a function's zip in base64; the largest other one is a PutRecordBatch of 4 MiB.
_LARGEST = {"s3": 5 * 2**30, "lambda": 100 * 2**20}
_LARGEST_OTHER = 16 * 2**20
_LARGEST_UNSIGNED = 64 * 2**20
_LARGEST_HEAD = 64 * 2**10


@dataclass(frozen=True, slots=True)
class Service:
    protocol: sigv4.Protocol
    handler: Handler


class Server:
    """`services` by their SigV4 signing names; `polyglots` are those whose requests say which protocol they are in, and
    any other name goes to `control`, which is one more. `pages` by their paths need no signature; `note` is told of
    every other request when its answer is out. `gate` turns strangers away; `admits` says of a request with a foreign
    Origin whether the bucket that it is for allows it; `may_upload` raises AccessDenied for an unsigned upload before
    its body is read; `authorize` raises for what its sender's policies don't allow, if they count. `public(head)` is
    the application that answers anybody, pages of other origins too, if the request is for one."""

    def __init__(
        self,
        services: Mapping[str, Service],
        polyglots: Mapping[str, Handler],
        control: Handler,
        keyring: Keyring,
        tmp: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        pages: Mapping[str, Callable[[], Awaitable[Response]]],
        note: Callable[[Span], None],
        gate: Gate,
        admits: Callable[[str, sigv4.Head], Awaitable[bool]],
        may_upload: Callable[[Request], Awaitable[None]],
        authorize: Callable[[Request, str, sigv4.Protocol], Awaitable[None]] | None = None,
        public: Callable[[sigv4.Head], App | None] = lambda _head: None,
    ) -> None:
        self._services = services
        self._polyglots = polyglots
        self._control = control
        self._keyring = keyring
        self._tmp = tmp
        self._clock = clock
        self._ids = ids
        self._pages = pages
        self._note = note
        self._gate = gate
        self._admits = admits
        self._may_upload = may_upload
        self._authorize = authorize
        self._public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began, request_id = time.perf_counter(), self._ids()
        head = head_of(scope)
        service, public = self._service(None, head), self._public(head)
        try:
            await self._let_in(head, public is not None)
        except AwsError as error:
            refusal = error_response(service.protocol, error, request_id)
            await send_response(send, _final(refusal, head), request_id)
            took = time.perf_counter() - began
            self._note(Span(request_id, head.method, head.path, status=refusal.status, seconds=took))
            return
        if public is not None:
            place = "/" + head.path.lstrip("/").partition("/")[0]  # what is below may name somebody
            await self._pass_on(public, scope, receive, send, Span(request_id, head.method, place), began)
            return
        if head.path in self._pages and head.method in {"GET", "HEAD"}:
            await send_response(send, await self._page(head, service, request_id), request_id)
            return
        span = Span(request_id, head.method, head.path)
        try:
            _check_size(head)
            claim = _claim(head, service)
            service = self._service(claim, head)
            response = await self._answer(service, claim, head, receive, span)
        except AwsError as error:
            response = error_response(service.protocol, error, request_id)
        except Exception as error:
            response = error_response(service.protocol, _failure(head, error), request_id)
        try:
            await send_response(send, _final(response, head), request_id)
        finally:
            span.status, span.seconds = response.status, time.perf_counter() - began
            self._note(span)
            if span.status in {500, 503}:
                self._keyring.failed(span.access_key)

    async def _pass_on(self, app: App, scope: Scope, receive: Receive, send: Send, span: Span, began: float) -> None:
        async def noted(message: MutableMapping[str, Any]) -> None:
            span.status = message.get("status", span.status)
            await send(message)

        try:
            await app(scope, receive, noted)
        finally:
            span.service, span.seconds = scope.get(SERVICE, ""), time.perf_counter() - began
            self._note(span)

    async def _page(self, head: sigv4.Head, service: Service, request_id: str) -> Response:
        try:
            return await self._pages[head.path]()
        except Exception as error:
            return error_response(service.protocol, _failure(head, error), request_id)

    async def _let_in(self, head: sigv4.Head, is_public: bool) -> None:
        """AwsError 403 for what a stranger's page had a browser send, unless the bucket's CORS allows it."""
        self._gate.check_host(head.headers)
        if not is_public and self._gate.is_foreign(head.headers):
            bucket = _bucket_host(head) or unquote(head.path.lstrip("/").partition("/")[0])
            if not await self._admits(bucket, head):
                raise AwsError("AccessForbidden", "A page of another origin may not send requests to here", 403)

    def _service(self, claim: sigv4.Claim | None, head: sigv4.Head) -> Service:
        name = claim.service if claim else _unsigned_service(head)
        return self._services.get(name) or Service(_protocol(head), self._polyglots.get(name, self._control))

    async def _answer(
        self, service: Service, claim: sigv4.Claim | None, head: sigv4.Head, receive_: Receive, span: Span
    ) -> Response:
        if claim is None:
            return await self._answer_unsigned(service, head, receive_, span)
        key = await self._key(claim, service)
        span.access_key = claim.access_key
        credentials = key.credentials
        sigv4.check_time(claim, self._clock(), service.protocol)
        signed_chunks = head.headers.get("x-amz-content-sha256", "").startswith("STREAMING-AWS4-HMAC")
        signer = sigv4.ChunkSigner(claim, credentials.secret_key) if signed_chunks else None
        if signer is not None:  # the chain of chunk signatures begins with this one, so it must be good first
            _check(claim, head, "", credentials.secret_key, service)
        spool = Spool(self._tmp, span.request_id, _LARGEST.get(claim.service, _LARGEST_OTHER))
        body = await receive(chunks(receive_), spool, head.headers, signer)
        try:
            if signer is None:
                _check(claim, head, spool.sha256.hexdigest(), credentials.secret_key, service)
            if key.caller.account != self._keyring.account and service is not self._services.get("s3"):
                text = f"{key.caller.arn} is of another account, which may use S3 alone"
                raise AwsError("AccessDenied", text, 403)
            span.service = claim.service
            request = _request(head, body, key.caller, span)
            if self._authorize is not None:
                await self._authorize(request, claim.service, service.protocol)
            return await service.handler(request)
        finally:
            if body.file is not None:
                body.file.unlink(missing_ok=True)

    async def _answer_unsigned(self, service: Service, head: sigv4.Head, receive_: Receive, span: Span) -> Response:
        """S3 alone decides by itself what anybody may do: preflights, public objects, forms that are signed inside."""
        chunks_are_signed = head.headers.get("x-amz-content-sha256", "").startswith("STREAMING-AWS4-HMAC")
        if service is not self._services.get("s3") or chunks_are_signed:
            raise sigv4.refuse("missing", service.protocol, "The request is not signed; see: clicklake env")
        await self._may_upload(_request(head, Body(), NOBODY, span))
        spool = Spool(self._tmp, span.request_id, _LARGEST_UNSIGNED)
        body = await receive(chunks(receive_), spool, head.headers, None)
        try:
            span.service = "s3"
            return await service.handler(_request(head, body, NOBODY, span))
        finally:
            if body.file is not None:
                body.file.unlink(missing_ok=True)

    async def _key(self, claim: sigv4.Claim, service: Service) -> Key:
        name = claim.access_key
        key = self._keyring.find(name) or await asyncio.to_thread(self._keyring.find_user, name)
        if key is None or not _same(key.credentials.session_token, claim.session_token):
            text = "The AWS Access Key Id you provided is not of this endpoint; see: clicklake env"
            raise sigv4.refuse("unknown key", service.protocol, text)
        if key.expires <= self._clock():
            raise sigv4.refuse("ended", service.protocol, "The provided token has expired.")
        return key


def _request(head: sigv4.Head, body: Body, caller: Caller, span: Span) -> Request:
    host = _bucket_host(head)
    return Request(head.method, head.path, head.query, head.headers, body, caller, host, span.request_id, span)


def _claim(head: sigv4.Head, service: Service) -> sigv4.Claim | None:
    """A preflight of a presigned URL carries its signature, which is another method's: nobody signs OPTIONS."""
    return None if head.method == "OPTIONS" else sigv4.claim(head, service.protocol) or sigv2.claim(head)


def _same(token: str | None, given: str | None) -> bool:
    return hmac.compare_digest((token or "").encode(), (given or "").encode())


def _check(claim: sigv4.Claim, head: sigv4.Head, body_hash: str, secret: str, service: Service) -> None:
    """S3 signs the word in x-amz-content-sha256, which payload.receive has checked; all others sign the body's hash."""
    if not claim.signed_headers:
        sigv2.check_signature(claim, head, secret, _bucket_host(head))
        return
    signed_hash = body_hash
    if claim.service == "s3":
        default = body_hash if claim.expires is None else "UNSIGNED-PAYLOAD"
        signed_hash = head.headers.get("x-amz-content-sha256", default)
    sigv4.check_signature(claim, head, signed_hash, secret, service.protocol)


def _failure(head: sigv4.Head, error: Exception) -> AwsError:
    if durable.says_full(error):
        log.error("%s %s failed: the disk is full", head.method, head.path)
        return AwsError("ServiceUnavailable", "The disk of the data directory is full", 503)
    log.error("%s %s failed", head.method, head.path, exc_info=error)
    return AwsError("InternalFailure", "The endpoint failed; its log has the traceback", 500)


def _unsigned_service(head: sigv4.Head) -> str:
    """Whose an unsigned request is: a GET or a form with a file can be S3's alone."""
    is_upload = head.headers.get("content-type", "").startswith("multipart/form-data")
    return "" if "x-amz-target" in head.headers or (head.method == "POST" and not is_upload) else "s3"


def _protocol(head: sigv4.Head) -> sigv4.Protocol:
    """What a request is in, as far as it tells itself."""
    if head.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "rpc-v2-cbor"
    if "x-amz-target" in head.headers:
        return "json"
    is_form = head.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return "query" if is_form or "Action=" in head.query else "rest-json"


def _check_size(head: sigv4.Head) -> None:
    if sum(len(name) + len(value) for name, value in head.headers.items()) > _LARGEST_HEAD:
        text = "Your request header section exceeds the maximum allowed request header section size."
        raise AwsError("RequestHeaderSectionTooLarge", text, MaxSizeAllowed=str(_LARGEST_HEAD))


def _bucket_host(head: sigv4.Head) -> str | None:
    """The bucket of `bucket.localhost`, `bucket.s3.localhost` or `bucket.s3.region.amazonaws.com`; else None."""
    host = head.headers.get("host", "").rpartition(":")[0] or head.headers.get("host", "")
    if host in _LOOPBACK or host.replace(".", "").isdecimal():
        return None
    name, dot, _domain = host.partition(".s3.")
    if not dot:
        name, dot, _domain = host.partition(".localhost")
    return name if dot and name not in {"s3", ""} else None


def _final(response: Response, head: sigv4.Head) -> Response:
    """Of a client that was to be told to go on and is refused, nobody knows whether its body still comes: the next
    request must not be taken for it, so this is the connection's last (RFC 9110, 10.1.1)."""
    if response.status < 300 or "expect" not in head.headers:
        return response
    return replace(response, headers={**response.headers, "connection": "close"})
