"""IAM's users and roles with their policies, taken out of moto: to ask its API for them would be ten calls for one."""

from collections.abc import Iterator
from typing import Any

from localaws.iam.principals import Identity

_NOTHING = '{"Version": "2012-10-17", "Statement": []}'


def identity(iam: Any, kind: str, name: str) -> Identity | None:
    """`iam` is moto's backend, `kind` "user" or "role"."""
    if kind == "user":
        user = iam.users.get(name)
        return Identity(user.arn, user.id, tuple(_of_user(iam, user))) if user else None
    role = next((role for role in iam.roles.values() if role.name == name), None)
    if role is None:
        return None
    boundary = _boundary(iam, role.permissions_boundary_arn)
    return Identity(role.arn, role.id, tuple(_own(role)), boundary, role.assume_role_policy_document)


def _of_user(iam: Any, user: Any) -> Iterator[str]:
    yield from _own(user)
    for group in iam.groups.values():
        if user in group.users:
            yield from _own(group)


def _own(holder: Any) -> Iterator[str]:
    """Inline and attached."""
    yield from holder.policies.values()
    yield from (_current(policy) for policy in holder.managed_policies.values())


def _current(policy: Any) -> str:
    return next((str(version.document) for version in policy.versions if version.is_default), _NOTHING)


def _boundary(iam: Any, arn: str | None) -> str | None:
    """One whose policy is gone allows nothing. (moto has none for users.)"""
    if not arn:
        return None
    return _current(iam.managed_policies[arn]) if arn in iam.managed_policies else _NOTHING
