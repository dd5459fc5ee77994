"""Function URLs: a function's own address, for anybody. Event and answer are an HTTP API's, but for a few things.

docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and urls-auth.html. The refusals are worded as AWS was
recorded to say them (github.com/localstack/localstack, tests/aws/services/lambda_/test_lambda.py and its snapshots).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from localaws.asgi import Receive, Scope, Send, head_of
from localaws.errors import AwsError
from localaws.execute_api import addresses, answers, cors, event, exchange
from localaws.execute_api.answers import Answer
from localaws.execute_api.cors import Cors
from localaws.execute_api.event import Visit
from localaws.execute_api.exchange import Outcome
from localaws.execute_api.published import cors_of

_log = logging.getLogger("localaws.execute-api")

_LARGEST = 6 * 2**20
_STAGE, _ANONYMOUS = "$default", "anonymous"
_DENIED = {"x-amzn-errortype": "AccessDeniedException"}
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)

Find = Callable[[str], tuple[str, Mapping[str, Any]] | None]
"""URL id -> the ARN of the function or alias, and its CORS settings."""
Run = Callable[[str, str, str], Future[Outcome]]
"""(ARN, payload, trace) -> its outcome. AwsError if it can't be invoked."""


class FunctionUrls:
    """`find` and `run` may block; they are called on a thread."""

    def __init__(self, find: Find, run: Run, clock: Callable[[], float], ids: Callable[[], str], region: str) -> None:
        self._find = find
        self._run = run
        self._clock = clock
        self._ids = ids
        self._region = region

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = head_of(scope)
        place = addresses.function_url(head)
        assert place is not None, "the server asks addresses first"
        url_id, path = place
        domain = f"{url_id}.lambda-url.{self._region}.on.aws"
        visit = exchange.visit(scope, head, self._clock(), self._ids, url_id, domain, path)
        try:
            found = await asyncio.to_thread(self._find, url_id)
            settings = cors_of(found[1]) if found else None
            answer = await self._answer(visit, found[0] if found else None, settings, receive)
        except AwsError:
            return  # the client went away before its request was whole
        except Exception as e:
            _log.error("%s of a function URL failed", visit.method, exc_info=e)
            settings, answer = None, _failed()
        told = {"x-amzn-requestid": visit.id, "x-amzn-trace-id": visit.headers["x-amzn-trace-id"]}
        await exchange.send_answer(send, cors.applied(answer, settings, visit.method, visit.headers).plus(told), head)

    async def _answer(self, visit: Visit, arn: str | None, settings: Cors | None, receive: Receive) -> Answer:
        if arn is None:
            return _said(403, None).plus(_DENIED)
        if settings is not None and cors.is_preflight(visit.method, visit.headers):
            return Answer(200, (), b"")
        body = await exchange.body(receive, _LARGEST)
        if body is None:
            return _said(413, "Request payload is larger than 6 MB")
        payload = event.payload(visit, _ANONYMOUS, _STAGE, _STAGE, {}, {}, body)
        try:
            future = await asyncio.to_thread(self._run, arn, payload, visit.headers["x-amzn-trace-id"])
            outcome = await asyncio.wrap_future(future)
        except AwsError as error:
            return _refused(error)
        said = answers.answer(outcome.payload, "application/json")
        return _failed() if outcome.failed or said.error else said


def _refused(error: AwsError) -> Answer:
    if error.status == 403:
        return _said(403, _FORBIDDEN).plus(_DENIED)
    return _said(error.status, error.message) if error.status in {413, 429} else _failed()


def _said(status: int, message: str | None) -> Answer:
    return answers.in_json(status, {"Message": message})


def _failed() -> Answer:
    return Answer(502, (("content-type", "application/json"),), b"Internal Server Error")
