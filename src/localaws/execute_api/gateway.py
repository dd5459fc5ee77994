"""The data plane: a request of anybody, and the function's answer to it.

    API -> stage -> preflight? -> route -> throttle -> body -> permission -> function -> answer, with CORS -> log line

Nothing here is signed: an API is as public as its routes. Limits are those of
docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html. While a function runs no thread waits for it.
"""

import asyncio
import base64
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from localaws.asgi import Receive, Scope, Send, head_of
from localaws.errors import AwsError
from localaws.execute_api import access_log, addresses, answers, cors, event, exchange
from localaws.execute_api.access_log import AccessLog
from localaws.execute_api.answers import Answer
from localaws.execute_api.apis import Apis
from localaws.execute_api.event import Visit
from localaws.execute_api.exchange import Outcome
from localaws.execute_api.published import Stage, Stages, stage_of
from localaws.execute_api.routes import Route, chosen

_log = logging.getLogger("localaws.execute-api")

_LARGEST = 10 * 2**20
_LARGEST_HEAD = 10_240
"""Of the request line and all headers."""

Observe = Callable[[str, str, int, int, float, float | None], None]
"""(API, stage, status, bytes of request and answer, seconds, Lambda's seconds if it was called)"""
Run = Callable[[str, str, str, str], Future[Outcome]]
"""(function's ARN, source ARN, payload, trace) -> its outcome. AwsError if it can't be invoked: by its policy, because
there is no such function, or because it is throttled."""


@dataclass(slots=True)
class _Course:
    """What is found out on the way, for the log. `ran`: Lambda's own status, and its seconds."""

    stage: Stage | None = None
    route_key: str = ""
    ran: tuple[int, float] | None = None


class Gateway:
    """`run` may block; it is called on a thread."""

    def __init__(
        self,
        apis: Apis,
        run: Run,
        log: AccessLog,
        observe: Observe,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
    ) -> None:
        self._apis = apis
        self._run = run
        self._access = log
        self._observe = observe
        self._clock = clock
        self._ids = ids
        self._account = account
        self._region = region

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = head_of(scope)
        found = addresses.place(head)
        assert found is not None, "the server asks addresses.place first"
        api, path = found
        domain = addresses.domain(api, self._region, head)
        visit = exchange.visit(scope, head, self._clock(), self._ids, api, domain, event.decoded(path))
        visit, course = replace(visit, id=_short(visit.id)), _Course()
        try:
            answer = await self._answer(visit, course, receive)
        except AwsError:
            return  # the client went away before its request was whole
        except Exception as e:
            _log.error("%s of the API %s failed", visit.method, api, exc_info=e)
            answer = answers.failed("The endpoint failed; its log has the traceback")
        settings = course.stage.cors if course.stage is not None else None
        answer = cors.applied(answer, settings, visit.method, visit.headers)
        await exchange.send_answer(send, answer.plus({"apigw-requestid": visit.id}), head)
        self._note(visit, course, answer)

    async def _answer(self, visit: Visit, course: _Course, receive: Receive) -> Answer:
        stages = await self._stages(visit.api)
        found = stage_of(stages, visit.path) if stages else None
        if found is None:
            return answers.NOT_FOUND
        course.stage, path = found
        if course.stage.cors is not None and cors.is_preflight(visit.method, visit.headers):
            return Answer(204, (), b"")
        if not visit.path.startswith("/"):  # of `OPTIONS *`, which is about the server and no resource of it
            return answers.NOT_FOUND
        if _head_size(visit) > _LARGEST_HEAD:
            return answers.HEAD_TOO_LARGE
        match = chosen(course.stage.routes, visit.method, path)
        if match is None:
            return answers.NOT_FOUND
        route, parameters = match
        course.route_key = route.key
        if not course.stage.buckets[route.key].take():
            return answers.TOO_MANY
        body = await exchange.body(receive, _LARGEST)
        if body is None:
            return answers.TOO_LARGE
        if route.integration is None:
            return answers.failed("The route has no integration")
        stage = course.stage
        payload = event.payload(visit, self._account, stage.name, route.key, parameters, stage.variables, body)
        return await self._invoke(visit, course, stage, route, payload)

    async def _stages(self, api: str) -> Stages | None:
        known = self._apis.known(api)
        return known if known is not None else await asyncio.to_thread(self._apis.served, api)

    async def _invoke(self, visit: Visit, course: _Course, stage: Stage, route: Route, payload: str) -> Answer:
        function, timeout, began = route.integration.function, route.integration.timeout, self._clock()
        source = self._source(visit, stage, route)
        trace = visit.headers["x-amzn-trace-id"]
        try:
            future = await asyncio.to_thread(self._run, function, source, payload, trace)
            outcome = await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except TimeoutError:
            course.ran = 504, self._clock() - began
            return answers.unavailable("Endpoint request timed out")
        except AwsError as error:
            course.ran = error.status, self._clock() - began
            return answers.unavailable(error.message) if error.status == 429 else answers.failed(error.message)
        course.ran = 200, self._clock() - began
        if outcome.failed:
            text = "The Lambda function returned an error. Check your Lambda function code and try again."
            return answers.failed(text)
        return answers.answer(outcome.payload)

    def _source(self, visit: Visit, stage: Stage, route: Route) -> str:
        """What a function's resource policy names: API, stage, and the route by method and path
        (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html)."""
        path = route.key.partition(" ")[2]
        rest = f"{visit.method}{path}" if path else route.key
        return f"arn:aws:execute-api:{self._region}:{self._account}:{visit.api}/{stage.name}/{rest}"

    def _note(self, visit: Visit, course: _Course, answer: Answer) -> None:
        stage, seconds = course.stage, self._clock() - visit.at
        if stage is None:
            return
        size = access_log.size_of(visit, answer)
        self._observe(visit.api, stage.name, answer.status, size, seconds, course.ran[1] if course.ran else None)
        if stage.log is not None:
            group, form = stage.log
            known = access_log.values(visit, self._account, stage.name, course.route_key, answer, seconds, course.ran)
            self._access.note(group, f"{visit.api}/{stage.name}", access_log.line(form, known))


def _short(request_id: str) -> str:
    """As this service's look: 15 letters and a "="."""
    return base64.urlsafe_b64encode(uuid.UUID(request_id).bytes[:11]).decode()


def _head_size(visit: Visit) -> int:
    headers = sum(len(name) + len(value) for name, value in visit.headers.items())
    return len(visit.method) + len(visit.path) + len(visit.query) + headers + sum(map(len, visit.cookies))
