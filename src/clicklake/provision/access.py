"""Who may do what, and the key behind user_key."""

import secrets
from typing import Any

from clicklake.provision.stack import Stack, unless_there
from clicklake.roles import Role, roles


def make_roles(stack: Stack) -> None:
    iam = stack.client("iam")
    for role in roles(stack.pipeline, stack.names, stack.account, stack.region, stack.user_key_parameter):
        _make_role(iam, role, stack.tag_list)
        iam.put_role_policy(RoleName=role.name, PolicyName=role.name, PolicyDocument=role.policy)


def _make_role(iam: Any, role: Role, tags: list[dict[str, str]]) -> None:
    described = {"RoleName": role.name, "Description": role.description}
    with unless_there():
        iam.create_role(AssumeRolePolicyDocument=role.trust, Tags=tags, **described)
        return
    iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=role.trust)
    iam.update_role(**described)
    iam.tag_role(RoleName=role.name, Tags=tags)


def make_user_key(stack: Stack) -> None:
    """On a laptop it is made here; on AWS its owner makes it outside of Terraform (docs/deploy.md)."""
    if not stack.target.is_laptop:
        return
    with unless_there():
        stack.client("ssm").put_parameter(
            Name=stack.user_key_parameter, Value=secrets.token_hex(32), Type="SecureString", Overwrite=False
        )
