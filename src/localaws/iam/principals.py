"""Who asks, and with which policies. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from localaws.iam.conditions import Context
from localaws.iam.policies import Document, names_of, parsed
from localaws.wire import Caller


@dataclass(frozen=True, slots=True)
class Identity:
    """A user or role of IAM. `policies`: its own, attached ones and those of its groups, as texts; `trust`: who may
    take the role."""

    arn: str
    id: str
    policies: tuple[str, ...]
    boundary: str | None = None
    trust: str | None = None


Find = Callable[[str, str], Identity | None]
"""("user" or "role", name) -> who that is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as policies see it. `names`: what a policy of a resource may call it; `own_names` are those that are
    its alone, and not its account's. Without `identity` it has no policies, and may nothing of itself."""

    caller: Caller
    identity: Identity | None

    @property
    def names(self) -> frozenset[str]:
        real = frozenset({self.identity.arn} if self.identity else ())
        return names_of(self.caller.arn, self.caller.account) | real

    @property
    def own_names(self) -> frozenset[str]:
        return frozenset(name for name in self.names if "/" in name)

    @property
    def is_user(self) -> bool:
        return ":user/" in self.caller.arn

    @property
    def context(self) -> Context:
        """What a session's caller does not tell: its role's path and id."""
        if self.identity is None or self.is_user:
            return {}
        name = self.caller.arn.rpartition("/")[2]
        return {"aws:principalarn": [self.identity.arn], "aws:userid": [f"{self.identity.id}:{name}"]}

    @property
    def policies(self) -> list[Document]:
        return [parsed(text) for text in self.identity.policies] if self.identity else []

    @property
    def boundary(self) -> Document | None:
        return parsed(self.identity.boundary) if self.identity and self.identity.boundary else None


def principal(caller: Caller, find: Find) -> Principal:
    """A session has the policies of its role, a federated user none: what it may, its session's policy would say."""
    kind, _, path = caller.arn.rpartition(":")[2].partition("/")
    match kind:
        case "user":
            return Principal(caller, find("user", path.rpartition("/")[2]))
        case "assumed-role":
            return Principal(caller, find("role", path.partition("/")[0]))
    return Principal(caller, None)
