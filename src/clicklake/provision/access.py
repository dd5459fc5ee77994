"""Who may do what, and the key behind user_key."""

import secrets

from clicklake.provision.stack import Stack, unless_there
from clicklake.roles import roles


def make_roles(stack: Stack) -> None:
    iam = stack.client("iam")
    for role in roles(stack.pipeline, stack.names, stack.account, stack.region, stack.user_key_parameter):
        with unless_there():
            iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=role.trust)
        iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=role.trust)
        iam.update_role(RoleName=role.name, Description=role.description)
        iam.put_role_policy(RoleName=role.name, PolicyName=role.name, PolicyDocument=role.policy)
        iam.tag_role(RoleName=role.name, Tags=stack.tag_list)


def make_user_key(stack: Stack) -> None:
    """On a laptop it is made here; on AWS its owner makes it outside of Terraform (docs/deploy.md)."""
    if not stack.target.is_laptop:
        return
    with unless_there():
        stack.client("ssm").put_parameter(
            Name=stack.user_key_parameter, Value=secrets.token_hex(32), Type="SecureString", Overwrite=False
        )
