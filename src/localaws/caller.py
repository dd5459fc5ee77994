"""Who calls. A file of its own, so that credentials can be read without HTTP and botocore's models."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request; `user_id` is the unique id that STS tells. Nobody did: all are ""."""

    access_key: str
    arn: str
    user_id: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4] if self.arn else ""


NOBODY = Caller("", "")
