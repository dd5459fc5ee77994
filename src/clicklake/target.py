"""Where a command goes: an AWS account, or an endpoint on a laptop. Everything of ours reaches AWS through here.

The options and environment variables are the aws CLI's own (AWS_ENDPOINT_URL, AWS_PROFILE, AWS_REGION ...).
"""

import ipaddress
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import botocore.utils

from clicklake.errors import RefusedError, UnreachableError, UsageError

_USE_LAPTOP = 'start it with: clicklake up   and then: eval "$(clicklake env)"'


@dataclass(frozen=True, slots=True)
class Target:
    """A boto3 session and, unless it is AWS itself, the endpoint's URL."""

    session: Any
    endpoint_url: str | None

    @property
    def is_laptop(self) -> bool:
        return self.endpoint_url is not None and _is_loopback(urlsplit(self.endpoint_url).hostname or "")

    def client(self, service: str, **config: Any) -> Any:
        """A boto3 client; `config` are botocore.config.Config's options."""
        direct: dict[str, Any] = {"proxies": {}} if self.is_laptop else {}  # no proxy reaches this machine's loopback
        options = botocore.config.Config(**direct, **config)
        return self.session.client(service, endpoint_url=self.endpoint_url, config=options)

    def describe(self) -> str:
        """`laptop 127.0.0.1:4566` or `AWS 123456789012 us-east-1`."""
        if self.endpoint_url is not None:
            kind = "laptop" if self.is_laptop else "endpoint"
            return f"{kind} {urlsplit(self.endpoint_url).netloc}"
        with translated():
            account = self.client("sts").get_caller_identity()["Account"]
        return f"AWS {account} {self.session.region_name}"


def choose(endpoint_url: str | None = None, region: str | None = None, profile: str | None = None) -> Target:
    """The target that the options and the environment name, as the aws CLI would choose it."""
    named = endpoint_url or os.environ.get("AWS_ENDPOINT_URL")
    if named and not botocore.utils.is_valid_endpoint_url(named):
        raise UsageError(f"{named} is no endpoint's address", "such as http://127.0.0.1:4566")
    with translated():
        # The aws CLI and Terraform read AWS_REGION, boto3 only AWS_DEFAULT_REGION:
        # docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
        session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise UsageError(
                "neither an endpoint nor a region is set", f"laptop: {_USE_LAPTOP}; AWS: --region or AWS_REGION"
            )
        if session.get_credentials() is None:
            raise UsageError("no credentials are set", f"laptop: {_USE_LAPTOP}; AWS: aws configure")
        endpoint = endpoint_url or session.client("sts").meta.endpoint_url
    return Target(session, None if endpoint.endswith((".amazonaws.com", ".amazonaws.com.cn")) else endpoint)


def of_keys(endpoint_url: str, access_key: str, secret_key: str, region: str) -> Target:
    """An endpoint whose keys are known, whatever the environment and the files of the aws CLI say."""
    elsewhere = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}
    variables = {name: (None, None, value, None) for name, value in elsewhere.items()}
    core = botocore.session.Session(session_vars=variables)
    session = boto3.Session(access_key, secret_key, region_name=region, botocore_session=core)
    return Target(session, endpoint_url)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@contextmanager
def translated() -> Iterator[None]:
    """botocore's errors as ours; each foreign error is met here and nowhere else."""
    try:
        yield
    except botocore.exceptions.ClientError as e:
        code, message = e.response["Error"].get("Code", "?"), e.response["Error"].get("Message", "")
        hint = _NOT_THERE if _NO_WORKGROUP.search(message) else _HINTS.get(code, "")
        raise RefusedError(f"{e.operation_name}: {code}: {message}", hint, code) from e
    except (botocore.exceptions.EndpointConnectionError, botocore.exceptions.ConnectionError) as e:
        raise UnreachableError(f"the service can't be reached ({e})", f"laptop: {_USE_LAPTOP}") from e
    except botocore.exceptions.HTTPClientError as e:
        raise UnreachableError(f"the service did not answer ({e})", f"laptop: {_USE_LAPTOP}") from e
    except botocore.exceptions.BotoCoreError as e:
        raise UsageError(str(e), "see: aws configure") from e


_NOT_THERE = "is the stack deployed there? laptop: clicklake up; AWS: terraform apply"
_NO_WORKGROUP = re.compile(r"^WorkGroup .* is not found")  # Athena has no code of its own for it
_HINTS = {
    "ResourceNotFoundException": _NOT_THERE,
    "EntityNotFoundException": _NOT_THERE,
    "NoSuchBucket": _NOT_THERE,
    "UnrecognizedClientException": 'the keys are of another endpoint: eval "$(clicklake env)"',
    "InvalidAccessKeyId": 'the keys are of another endpoint: eval "$(clicklake env)"',
    "ExpiredToken": "renew the credentials: aws sso login, or aws configure",
}
