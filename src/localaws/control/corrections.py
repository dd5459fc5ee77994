"""Where moto answers otherwise than AWS and a real client, Terraform's provider, stumbles: set right in its classes.

Each is installed when its service is first asked for, so that nothing of moto is imported sooner.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any


@functools.cache
def install(service: str) -> None:
    """Before its first call; once in a process. `service` as moto names it."""
    if service in _CORRECTIONS:
        _CORRECTIONS[service]()


def _logs() -> None:
    from moto.logs.exceptions import ResourceNotFoundException
    from moto.logs.models import LogsBackend
    from moto.logs.responses import LogsResponse

    delete_log_group = LogsBackend.delete_log_group

    def delete_with_tags(backend: Any, log_group_name: str) -> None:
        """moto keeps the tags by the ARN, and the next group of the name would have them."""
        group = backend.groups.get(log_group_name)
        delete_log_group(backend, log_group_name)
        backend.tagger.delete_all_tags_for_resource(group.arn)

    def use_key(response: Any) -> str:
        """AssociateKmsKey and, without a key, DisassociateKmsKey. Of log groups; results of queries have none here."""
        name = response._get_param("logGroupName")  # noqa: SLF001 - as moto's own responses read it
        if name is None:
            raise NotImplementedError
        group = response.logs_backend.groups.get(name)
        if group is None:
            raise ResourceNotFoundException
        group.kms_key_id = response._get_param("kmsKeyId")  # noqa: SLF001
        return ""

    LogsBackend.delete_log_group = delete_with_tags
    LogsResponse.associate_kms_key = use_key
    LogsResponse.disassociate_kms_key = use_key


def _cloudwatch() -> None:
    from moto.cloudwatch.models import CloudWatchBackend

    delete_alarms = CloudWatchBackend.delete_alarms

    def delete_with_tags(backend: Any, alarm_names: list[str]) -> None:
        """As with log groups."""
        gone = [backend.alarms[name].alarm_arn for name in alarm_names if name in backend.alarms]
        delete_alarms(backend, alarm_names)
        for arn in gone:
            backend.tagger.delete_all_tags_for_resource(arn)

    CloudWatchBackend.delete_alarms = delete_with_tags


_CORRECTIONS: Mapping[str, Callable[[], None]] = {"logs": _logs, "cloudwatch": _cloudwatch}
