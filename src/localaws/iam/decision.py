"""What all policies together say of one permission, and AWS's words for a no. Pure.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: first an explicit Deny anywhere, then
a resource's policy that allows the caller itself, then an identity's policy within the permissions boundary. The words
are those of .../troubleshoot_access-denied.html.
"""

from dataclasses import dataclass, replace

from localaws.iam.policies import Ask, Document, verdict
from localaws.iam.principals import Principal

TAKES_A_ROLE = "sts:AssumeRole"
"""What no identity's policy suffices for: the role's own, who may take it, must allow it too."""


@dataclass(frozen=True, slots=True)
class Refusal:
    caller: str
    action: str
    resource: str
    why: str

    def text(self, quote: str = "") -> str:
        """S3 quotes the resource. Where an action is about none, none is told."""
        what = "" if self.resource in {"*", "arn:aws:s3:::*"} else f" on resource: {quote}{self.resource}{quote}"
        return f"User: {self.caller} is not authorized to perform: {self.action}{what} {self.why}"


def refusal(who: Principal, ask: Ask, policy: Document | None) -> Refusal | None:
    """`policy` is the resource's own. In `ask` who asks needs no names: they are the principal's."""
    why = _reason(who, replace(ask, principals={"AWS": who.names}), policy)
    return Refusal(who.caller.arn, ask.action, ask.resource, why) if why else None


def _reason(who: Principal, ask: Ask, policy: Document | None) -> str:
    """Nothing if it may."""
    of_identity = {verdict(document, ask) for document in who.policies}
    of_resource = verdict(policy, ask) if policy else None
    boundary = who.boundary
    of_boundary = verdict(boundary, ask) if boundary is not None else "Allow"
    if "Deny" in of_identity:
        return "with an explicit deny in an identity-based policy"
    if of_resource == "Deny":
        return "with an explicit deny in a resource-based policy"
    if of_boundary == "Deny":
        return "with an explicit deny in a permissions boundary"
    if ask.action == TAKES_A_ROLE and of_resource != "Allow":
        return f"because no resource-based policy allows the {ask.action} action"
    # What a resource's policy grants to a user by name, no boundary takes away.
    is_bounded = of_boundary != "Allow" and not who.is_user
    if policy and not is_bounded and verdict(policy, replace(ask, principals={"AWS": who.own_names})) == "Allow":
        return ""
    if "Allow" not in of_identity:
        return f"because no identity-based policy allows the {ask.action} action"
    return "" if of_boundary == "Allow" else f"because no permissions boundary allows the {ask.action} action"
