"""May it? Every call of users, roles, functions and delivery streams, against their policies.

The account's owner may do all. Not done: policies of sessions and users' boundaries, which are refused by name;
policies of organisations, VPC endpoints and KMS keys; what Athena reads, which AWS asks of whoever began the query.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from localaws.errors import AwsError
from localaws.iam import context as contexts
from localaws.iam.asked import OWN_USER, Asked, asked, resources
from localaws.iam.conditions import Context
from localaws.iam.decision import TAKES_A_ROLE, Refusal, refusal
from localaws.iam.definitions import Action, Definitions
from localaws.iam.policies import Ask, Document, parsed, verdict
from localaws.iam.principals import Find, Principal, principal
from localaws.sigv4 import Protocol, refuse
from localaws.wire import Caller, Parameters, Request

ResourcePolicy = Callable[[str], Document | None]
"""ARN -> the resource's own policy, {} or None for none."""

# "No permissions are required to perform this operation" (both operations' pages in the API reference of STS).
_FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})
# Those that have another code than their protocol's.
_CODES = {"monitoring": "AccessDenied", "sns": "AuthorizationError", "sqs": "AccessDenied"}
# What narrows permissions, and can't here: policies of sessions, and users' boundaries, which moto does not keep.
_SESSION_POLICY, _BOUNDARY = re.compile("PolicyArns|Policy"), re.compile("PermissionsBoundary")
_NOT_DONE = {
    "sts": {"AssumeRole": _SESSION_POLICY, "GetFederationToken": _SESSION_POLICY},
    "iam": {"CreateUser": _BOUNDARY},
}
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/.+")
# Conditions of a role's trust policy on what AssumeRole is told.
_OF_SESSION = {"ExternalId": "sts:externalid", "RoleSessionName": "sts:rolesessionname"}


@dataclass(frozen=True, slots=True)
class Enforcement:
    """`find` knows IAM's users and roles; `owner` is the user id of who may do all. `policies`, by service, knows those
    of resources; `completed`, by service, adds to the parameters what a request means without saying it."""

    account: str
    region: str
    owner: str
    find: Find
    clock: Callable[[], float]
    policies: Mapping[str, ResourcePolicy]
    completed: Mapping[str, Callable[[Parameters], Parameters]]
    definitions: Definitions

    async def admit(self, request: Request, service: str, protocol: Protocol) -> None:
        """Raises AWS's refusal, in the protocol's words. S3 asks for itself (`admit_to_s3`): it knows of the object."""
        if service == "s3" or (service not in _NOT_DONE and not self._is_subject(request.caller)):
            return
        await asyncio.to_thread(self._admit, request, service, protocol)

    def _admit(self, request: Request, service: str, protocol: Protocol) -> None:
        wanted = asked(request, service, protocol)
        request.span.operation = wanted.operation
        if (what := _NOT_DONE.get(service, {}).get(wanted.operation)) and any(map(what.match, wanted.parameters)):
            text = f"localaws would not evaluate {wanted.operation}'s {what.pattern}: with --enforce-iam it is refused"
            raise AwsError("NotImplemented", text, 501)
        if (service, wanted.operation) in _FREE or not self._is_subject(request.caller):
            return
        found = self._refusal(request.caller, wanted, contexts.of_headers(request.headers))
        if found is not None and service in _CODES:
            raise AwsError(_CODES[service], found.text(), 403)
        if found is not None:
            raise refuse("denied", protocol, found.text())

    def may(self, caller: Caller, prefix: str, operation: str, parameters: Parameters) -> Refusal | None:
        """Why not, of a call that a service makes for itself in a role's name."""
        return self._refusal(caller, Asked(prefix, operation, parameters), {})

    def admit_to_s3(
        self, caller: Caller, action: str, p: Parameters, context: Context, policy: Document | None
    ) -> None:
        """Raises AccessDenied. `policy` is that of the bucket, if it is the caller's account's; `p` has the Bucket, and
        the Key if the action is about an object."""
        if not self._is_subject(caller):
            return
        (known,) = self.definitions.actions("s3", action.removeprefix("s3:")) or (Action(action, (), (), False),)
        who = principal(caller, self.find)
        full = {**context, **self._here(who)}
        for resource in resources(known, p, self.region, self.account):
            found = refusal(who, Ask(action, resource, full), policy)
            if found is not None:
                raise AwsError("AccessDenied", found.text('"'), 403)

    def assume(self, role_arn: str, service: str, session: str) -> Caller:
        """The session that a service of AWS takes a role for. AccessDenied if the role's trust policy is against it."""
        role = self.find("role", role_arn.rpartition("/")[2])
        # Firehose says the account's number as the external id, too (firehose/latest/dev/controlling-access.html).
        context = {"aws:sourceaccount": [self.account], "sts:externalid": [self.account]}
        ask = Ask(TAKES_A_ROLE, role_arn, context, {"Service": frozenset({service})})
        if role is None or role.arn != role_arn or not role.trust or verdict(parsed(role.trust), ask) != "Allow":
            raise AwsError("AccessDenied", f"The role {role_arn} can't be assumed by {service}", 403)
        arn = f"arn:aws:sts::{self.account}:assumed-role/{role_arn.rpartition('/')[2]}/{session}"
        return Caller("", arn, f"{role.id}:{session}")

    def _is_subject(self, caller: Caller) -> bool:
        """A guest of another account is that account itself: it is buckets' policies that say what it may."""
        return caller.account == self.account and caller.user_id != self.owner

    def _refusal(self, caller: Caller, wanted: Asked, context: Context) -> Refusal | None:
        actions = self.definitions.actions(wanted.prefix, wanted.operation)
        if not actions:
            text = f"AWS's tables don't say which permission {wanted.prefix} {wanted.operation} needs"
            raise AwsError("NotImplemented", text, 501)
        who, p = principal(caller, self.find), self._completed(caller, wanted)
        session = {key: [p[name]] for name, key in _OF_SESSION.items() if wanted.prefix == "sts" and name in p}
        full = {**context, **session, **self._here(who), "iam:passedtoservice": [f"{wanted.prefix}.amazonaws.com"]}
        for action in actions:
            needed = [(action.name, arn) for arn in resources(action, p, self.region, self.account)]
            needed += [("iam:PassRole", arn) for arn in _roles(p) if action.passes_role]
            for name, arn in needed:
                if found := refusal(who, Ask(name, arn, full), self._policy_of(arn)):
                    return found
        return None

    def _completed(self, caller: Caller, wanted: Asked) -> Parameters:
        complete = self.completed.get(wanted.prefix)
        p = complete(wanted.parameters) if complete else wanted.parameters
        return p | {OWN_USER: caller.arn.rpartition("/")[2]} if wanted.prefix == "iam" else p

    def _here(self, who: Principal) -> Context:
        return {**contexts.of_caller(who.caller), **who.context, **contexts.of_moment(self.clock(), self.region)}

    def _policy_of(self, arn: str) -> Document | None:
        """A role's is the one that says who may take it."""
        if _ROLE.fullmatch(arn):
            role = self.find("role", arn.rpartition("/")[2])
            return parsed(role.trust) if role and role.arn == arn and role.trust else None
        service = arn.split(":")[2:3]
        of_service = self.policies.get(service[0]) if service else None
        try:
            return of_service(arn) if of_service else None
        except AwsError:  # not of a kind that has one: a layer, for one
            return None


def _roles(value: object) -> Iterator[str]:
    """The roles' ARNs among the parameters."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _roles(item)
    elif isinstance(value, str) and _ROLE.fullmatch(value):
        yield value
