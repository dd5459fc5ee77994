"""STS: who am I, and keys for a while. The keys go into the keyring and end at their expiry; a restart keeps them.

GetCallerIdentity is the first command of every walk and needs no moto. Who may take a role is iam/'s matter, where
policies are enforced. Not done: a session's own policies are not evaluated; AssumeRoleWithSAML,
AssumeRoleWithWebIdentity and what else needs a foreign identity provider is refused by name. GetAccessKeyInfo is
moto's.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from localaws.credentials import Key, Keyring, Role
from localaws.errors import AwsError
from localaws.wire import Caller, Handler, Request, Response

_XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_HOUR = 3600
_REFUSED = re.compile("AssumeRoleWith(SAML|WebIdentity)|AssumeRoot|GetDelegatedAccessToken|GetWebIdentityToken")

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sts:
    """`role` finds one by its ARN; it may wait for moto."""

    account: str
    keyring: Keyring
    role: Callable[[str], Role | None]
    clock: Callable[[], float]
    otherwise: Handler

    async def handler(self, request: Request) -> Response:
        form = dict(parse_qsl(f"{request.query}&{request.body.read().decode('utf-8', 'replace')}"))
        action = form.get("Action", "")
        if _REFUSED.fullmatch(action):
            raise AwsError("NotImplemented", f"sts {action} is not implemented here", 501)
        if action not in _ACTIONS:
            return await self.otherwise(request)
        request.span.operation = action
        result = await asyncio.to_thread(_ACTIONS[action], self, request.caller, form)
        body = f'<{action}Response xmlns="{_XMLNS}"><{action}Result>{result}</{action}Result></{action}Response>'
        return Response(200, {"content-type": "text/xml"}, body.encode())

    def caller_identity(self, caller: Caller, _form: Form) -> str:
        return _elements({"Arn": caller.arn, "UserId": caller.user_id, "Account": self.account})

    def assume_role(self, caller: Caller, form: Form) -> str:
        arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
        if not _NAME.fullmatch(name):
            raise _invalid("roleSessionName", name)
        role = self.role(arn)
        if role is None:
            text = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", text, 403)
        seconds = _duration(form, _HOUR, 12 * _HOUR)
        if seconds > role.longest_session:
            text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            raise AwsError("ValidationError", text)
        session = f"arn:aws:sts::{self.account}:assumed-role/{arn.rpartition('/')[2]}/{name}"
        key = self.keyring.begin_session(session, f"{role.id}:{name}", self.clock(), seconds)
        user = _elements({"AssumedRoleId": key.caller.user_id, "Arn": session})
        return f"{_credentials(key)}<AssumedRoleUser>{user}</AssumedRoleUser>"

    def session_token(self, caller: Caller, form: Form) -> str:
        self._refuse_session(caller, "GetSessionToken")
        seconds = _duration(form, 12 * _HOUR, 36 * _HOUR)
        return _credentials(self.keyring.begin_session(caller.arn, caller.user_id, self.clock(), seconds))

    def federation_token(self, caller: Caller, form: Form) -> str:
        self._refuse_session(caller, "GetFederationToken")
        name = form.get("Name", "")
        if not _NAME.fullmatch(name) or len(name) > 32:
            raise _invalid("name", name)
        seconds = _duration(form, 12 * _HOUR, 36 * _HOUR)
        arn = f"arn:aws:sts::{self.account}:federated-user/{name}"
        key = self.keyring.begin_session(arn, f"{self.account}:{name}", self.clock(), seconds)
        user = _elements({"FederatedUserId": key.caller.user_id, "Arn": arn})
        return f"{_credentials(key)}<FederatedUser>{user}</FederatedUser>"

    def _refuse_session(self, caller: Caller, action: str) -> None:
        if caller.access_key.startswith("ASIA"):
            raise AwsError("AccessDenied", f"Cannot call {action} with session credentials", 403)


_ACTIONS: dict[str, Callable[[Sts, Caller, Form], str]] = {
    "GetCallerIdentity": Sts.caller_identity,
    "AssumeRole": Sts.assume_role,
    "GetSessionToken": Sts.session_token,
    "GetFederationToken": Sts.federation_token,
}


def _duration(form: Form, default: int, longest: int) -> int:
    text = form.get("DurationSeconds", str(default))
    seconds = int(text) if re.fullmatch("[0-9]{1,9}", text) else 0
    if not 900 <= seconds <= longest:
        raise _invalid("durationSeconds", text)
    return seconds


def _invalid(name: str, value: str) -> AwsError:
    text = f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint"
    return AwsError("ValidationError", text)


def _credentials(key: Key) -> str:
    ends = datetime.fromtimestamp(key.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    own = key.credentials
    fields = {"AccessKeyId": own.access_key, "SecretAccessKey": own.secret_key, "SessionToken": own.session_token or ""}
    return f"<Credentials>{_elements({**fields, 'Expiration': ends})}</Credentials>"


def _elements(fields: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
