"""The service: its control plane under the signing name "apigateway", and its data plane as an ASGI application.

REST APIs (`/restapis`, API Gateway's first version) have the same signing name and go to `otherwise`.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from localaws.asgi import App
from localaws.errors import AwsError
from localaws.execute_api import addresses
from localaws.execute_api.access_log import AccessLog
from localaws.execute_api.apis import Apis
from localaws.execute_api.exchange import Outcome
from localaws.execute_api.function_url import Find, FunctionUrls
from localaws.execute_api.gateway import Gateway, Observe
from localaws.execute_api.parts import Parts
from localaws.iam.policies import Ask, verdict
from localaws.rest_json import called, rest_json_service
from localaws.sigv4 import Head
from localaws.store import Store
from localaws.wire import Handler, Request, Response

_GATEWAY = "apigateway.amazonaws.com"
_INVOKE, _INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"


class ExecuteApi:
    """`url` is the endpoint's own. `submit(arn, payload, trace)` invokes a function synchronously; `policy_of(arn)` is
    its resource policy, None if there is no such function; `find_url(id)` is whose URL it is. `write_log(group, stream,
    lines)` and `has_log_group(group)` are CloudWatch Logs'; `observe` is told of every request."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        url: str,
        submit: Callable[[str, str, str], Future[Any]],
        policy_of: Callable[[str], Mapping[str, Any] | None],
        find_url: Find,
        write_log: Callable[[str, str, list[str]], None],
        has_log_group: Callable[[str], bool],
        observe: Observe,
        otherwise: Handler,
    ) -> None:
        self._account = account
        self._submit = submit
        self._policy_of = policy_of
        self._log = AccessLog(write_log, has_log_group, clock)
        apis = Apis(store, clock, ids, region, url)
        otherwise = _refusing(otherwise)
        self.handler: Handler = rest_json_service(
            "apigatewayv2", {**apis.operations, **Parts(apis).operations}, otherwise
        )
        self._gateway: App = Gateway(apis, self._run, self._log, observe, clock, ids, account, region)
        self._urls: App = FunctionUrls(find_url, self._run_by_url, clock, ids, region)

    def public(self, head: Head) -> App | None:
        """What answers the request if it is for an API, or for a function's URL."""
        if addresses.place(head) is not None:
            return self._gateway
        return self._urls if addresses.function_url(head) is not None else None

    def stop(self) -> None:
        """The access logs are whole on return."""
        self._log.stop()

    def _run(self, function: str, source: str, payload: str, trace: str) -> Future[Outcome]:
        context = {"aws:sourcearn": [source], "aws:sourceaccount": [self._account]}
        self._check(Ask(_INVOKE, function, context, {"Service": frozenset({_GATEWAY})}), source)
        return self._submit(function, payload, trace)

    def _run_by_url(self, function: str, payload: str, trace: str) -> Future[Outcome]:
        """ "New function URLs will require both lambda:InvokeFunctionUrl and lambda:InvokeFunction permissions"
        (docs.aws.amazon.com/lambda/latest/dg/urls-auth.html)."""
        context = {"lambda:functionurlauthtype": ["NONE"], "lambda:invokedviafunctionurl": ["true"]}
        for action in (_INVOKE_URL, _INVOKE):
            self._check(Ask(action, function, context), "Everybody")
        return self._submit(function, payload, trace)

    def _check(self, ask: Ask, who: str) -> None:
        policy = self._policy_of(ask.resource)
        if not policy or verdict(policy, ask) != "Allow":
            raise AwsError("AccessDeniedException", f"{who} has no permission for {ask.action} on {ask.resource}", 403)


def _refusing(otherwise: Handler) -> Handler:
    """What HTTP APIs have besides is refused by name; the rest is not about them."""

    async def handle(request: Request) -> Response:
        operation, _ = called("apigatewayv2", request)
        if not operation:
            return await otherwise(request)
        raise AwsError("NotImplemented", f"localaws does not do {operation} of HTTP APIs", 501)

    return handle
