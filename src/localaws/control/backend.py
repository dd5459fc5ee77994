"""moto, in this process: a `Call` goes in, its answer comes out, and the same calls give the same answers again.

moto (docs.getmoto.org) models the control plane of some 150 AWS services in memory. Three things that it depends on are
taken in hand here, so that a journal of calls is as good as the state itself: its clock (`moto.core.utils`), its
randomness (`mock_random`, which makes role ids, key ids and message ids; and the key material of KMS) and what does not
belong into a journal: SQS's messages (messages.py) and what SNS sends (outbox.py). It is pinned to a patch series for
their sake.

What a replay does not repeat: asymmetric KMS keys, which OpenSSL makes, and the dates of the few backends that read the
clock themselves (Secrets Manager).
"""

import logging
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from localaws.control import corrections, identities
from localaws.control.call import Call, Invoke
from localaws.control.loading import prepare_for_moto
from localaws.control.refusals import refused
from localaws.credentials import Credentials, Key, Role
from localaws.errors import AwsError
from localaws.iam.principals import Identity
from localaws.store import Store
from localaws.wire import Caller, Response

log = logging.getLogger("localaws.control")

# Read by moto when it is imported (moto/settings.py).
_SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # arn:aws:iam::aws:policy/... can be attached
    "MOTO_DISABLE_GLOBAL_CORS": "true",  # no page of another origin may read an answer
}
# moto opens a boto3 session, which fails if the profile named here is none of this machine's.
_PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
# The server's own (uvicorn's), or against the rule above.
_NOT_PASSED_ON = ("server", "date", "connection", "transfer-encoding", "access-control-")
_LONGEST_SESSION = 3600
"""Of a role that does not say (IAM's API reference, CreateRole: MaxSessionDuration)."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """How many messages of a queue can be received, were received and not deleted, and are still delayed; what came
    and went since the endpoint started."""

    visible: int
    not_visible: int
    delayed: int
    sent: int
    sent_bytes: int
    received: int
    deleted: int


class Moto:
    """A fresh, empty account. There is one moto in a process: making a second `Moto` empties the first.

    Making it takes half a second (moto's imports). `call` is not thread-safe: its owner holds a lock.
    """

    def __init__(self, account: str, store: Store, invoke: Invoke) -> None:
        """`store` keeps SQS's messages, `invoke` gives a function what SNS has for it."""
        os.environ.update(_SETTINGS, MOTO_ACCOUNT_ID=account)
        for name in _PROFILES:
            os.environ.pop(name, None)
        # Here, not above: `clicklake up` must not wait for them, and they read the settings.
        prepare_for_moto()
        import moto.core.utils
        import moto.kms.utils
        from moto import backend_index, backends
        from moto.moto_api._internal import mock_random
        from moto.moto_server import werkzeug_app

        from localaws.control.messages import Messages
        from localaws.control.outbox import Outbox, forget_what_was_sent

        self._account = account
        self._now = 0.0
        self._random = mock_random
        werkzeug_app.DEFAULT_ACCOUNT_ID = account  # whose backends it asks for their URLs: not made for that alone
        self._create_app = werkzeug_app.create_backend_app
        self._dispatcher = werkzeug_app.DomainDispatcherApplication(self._create_app)
        self._backends = frozenset(backends.list_of_moto_modules())
        self._url_patterns = backend_index.backend_url_patterns
        self._apps: dict[str, Any] = {}
        moto.core.utils.datetime = _clock(lambda: self._now)
        moto.kms.utils.os = SimpleNamespace(urandom=mock_random.randbytes)
        _seed_new_backends(mock_random)
        _empty_backends()
        self.messages = Messages(store)
        self.outbox = Outbox(invoke)
        self._forget_what_was_sent = forget_what_was_sent

    def call(self, call: Call, time: float, seed: int) -> Response:
        """AWS's answer, errors included; the same for the same history of calls, times (epoch s) and seeds.

        AwsError NotImplemented if moto has no answer.
        """
        self._now = time
        self._random.seed(seed)
        try:
            response = self._answer(call)
        except NotImplementedError as e:
            raise _not_implemented(call) from e
        except Exception as e:
            refusal = refused(call, e)  # moto checks few of its parameters: it fails where AWS refuses
            if refusal is not None:
                raise refusal from e
            log.warning("moto failed at %s %s: %s", call.service, call.operation, _place(e))
            raise AwsError("NotImplemented", f"moto failed at {call.service} {call.operation}", 501) from e
        if _no_such_route(response):
            raise _not_implemented(call)
        if call.service == "sns":
            self._forget_what_was_sent()
        return response

    def user_key(self, access_key: str) -> Key | None:
        user = self._iam().get_user_from_access_key_id(access_key)
        key = user.get_access_key_by_id(access_key) if user else None
        if key is None or key.status != "Active":
            return None
        return Key(Credentials(access_key, key.secret_access_key), Caller(access_key, user.arn, user.id))

    def role(self, arn: str) -> Role | None:
        found = (role for role in self._iam().roles.values() if role.arn == arn)
        return next((Role(role.id, int(role.max_session_duration or _LONGEST_SESSION)) for role in found), None)

    def identity(self, kind: str, name: str) -> Identity | None:
        return identities.identity(self._iam(), kind, name)

    def queues(self, region: str, time: float) -> dict[str, QueueStats]:
        """SQS's queues by their names."""
        if "sqs" not in self._apps:  # nobody has asked for it, so there is none
            return {}
        from moto.sqs.models import sqs_backends

        self._now = time
        return {
            queue.name: QueueStats(
                queue.approximate_number_of_messages,
                queue.approximate_number_of_messages_not_visible,
                queue.approximate_number_of_messages_delayed,
                queue.box.sent,
                queue.box.sent_bytes,
                queue.box.received,
                queue.box.deleted,
            )
            for queue in sqs_backends[self._account][region].queues.values()
        }

    def _iam(self) -> Any:
        """No operation of IAM tells a secret key a second time, so it is taken out of moto's own state."""
        from moto.iam.models import iam_backends

        return iam_backends[self._account]["aws"]

    def _answer(self, call: Call) -> Response:
        environ = call.environ()
        start: list[Any] = []
        body = b"".join(self._app(call, environ)(environ, lambda *arguments: start.extend(arguments)))
        status, headers = start[:2]
        return Response(int(status.split()[0]), _headers(headers), body)

    def _app(self, call: Call, environ: dict[str, Any]) -> Any:
        """The backend's application; not the dispatcher, which would serve moto's own API (/moto-api/reset) too."""
        host = self._dispatcher.infer_service_region_host(environ, call.path)
        matching = (name for name, pattern in self._url_patterns if pattern.match(f"http://{host}"))
        backend = host if host in self._backends else next(matching, None)
        if backend is None:
            raise NotImplementedError
        if backend not in self._apps:
            self._apps[backend] = self._create_app(backend)
            corrections.install(backend)
        return self._apps[backend]


def _clock(now: Callable[[], float]) -> SimpleNamespace:
    """What `moto.core.utils` uses of the module datetime, with the time of the call as its `now`."""
    return SimpleNamespace(
        datetime=SimpleNamespace(
            now=lambda zone: datetime.fromtimestamp(now(), zone),
            fromtimestamp=datetime.fromtimestamp,
            strptime=datetime.strptime,
        )
    )


def _seed_new_backends(random: Any) -> None:
    """A service's first call makes its backend, with random ids of its own (IAM's has 1,300 policies). They must not
    come out of that call's seed: in a replay another call may be the first."""
    from moto.core.base_backend import AccountSpecificBackend

    find = AccountSpecificBackend.__getitem__
    if getattr(find, "seeds", False):
        return

    def find_or_make(backends: Any, region: str) -> Any:
        if region in backends.keys():  # noqa: SIM118 - `in backends` asks for regions that there could be
            return find(backends, region)
        state = random.getstate()
        random.seed(f"{backends.service_name}/{backends.account_id}/{region}")
        try:
            return find(backends, region)
        finally:
            random.setstate(state)

    find_or_make.seeds = True  # type: ignore[attr-defined]
    AccountSpecificBackend.__getitem__ = find_or_make


def _empty_backends() -> None:
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data

    BackendDict.reset()
    reset_model_data()


def _place(failure: Exception) -> str:
    """What failed where in moto. Not its message, which may quote the request."""
    at = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__} at {Path(at.filename).name}:{at.lineno} in {at.name}"


def _headers(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs if not name.lower().startswith(_NOT_PASSED_ON)}


def _no_such_route(response: Response) -> bool:
    """Flask's own 404, or moto's empty one for a method and path that are none of its operations."""
    body = response.body if isinstance(response.body, bytes) else b""
    return response.status == 404 and body[:9].lower() in {b"", b"<!doctype"}


def _not_implemented(call: Call) -> AwsError:
    return AwsError("NotImplemented", f"{call.service} {call.operation} is not implemented here", 501)
