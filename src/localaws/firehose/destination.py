"""A delivery stream's configuration: what was asked for -> what Describe answers -> what delivery needs. Pure.

Everything that localaws does not do is refused here by its name, before a record depends on it.
"""

import re
from zoneinfo import ZoneInfo

from localaws.errors import AwsError
from localaws.firehose import prefix as prefixes
from localaws.firehose.delivery import Destination
from localaws.wire import Parameters

_MIB = 2**20
_DEFAULT_HINTS = {"SizeInMBs": 5, "IntervalInSeconds": 300}
_EXTENSIONS = {"GZIP": ".gz", "UNCOMPRESSED": ""}
_S3_KEYS = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
_ELSEWHERE = re.compile(r"(SourceConfiguration|DestinationConfiguration)$")
# Of the processors only AppendDelimiterToRecord works without Lambda and without dynamic partitioning.
_PROCESSORS = {"AppendDelimiterToRecord"}

EXTENDED_ONLY = {
    "ProcessingConfiguration",
    "S3BackupMode",
    "DataFormatConversionConfiguration",
    "DynamicPartitioningConfiguration",
    "FileExtension",
    "CustomTimeZone",
}


def requested(call: Parameters) -> Parameters:
    """The S3 destination of a CreateDeliveryStream; everything that is not done is refused by its name."""
    for name in call:
        if _ELSEWHERE.search(name) and name not in _S3_KEYS:
            raise _refused(name)
    found = [call[name] for name in _S3_KEYS if name in call]
    if len(found) != 1:
        raise AwsError("InvalidArgumentException", "Exactly one destination configuration is supported for a Firehose")
    configuration: Parameters = found[0]
    for name in ("DataFormatConversionConfiguration", "DynamicPartitioningConfiguration"):
        if configuration.get(name, {}).get("Enabled"):
            raise _refused(name)
    if configuration.get("S3BackupMode") == "Enabled":
        raise _refused("S3BackupMode")
    for processor in _processors(configuration):
        if processor["Type"] not in _PROCESSORS:
            raise _refused(f"the processor {processor['Type']}")
    return configuration


def _processors(configuration: Parameters) -> list[Parameters]:
    processing = configuration.get("ProcessingConfiguration") or {}
    return list(processing.get("Processors", [])) if processing.get("Enabled") else []


def _refused(what: str) -> AwsError:
    return AwsError("InvalidArgumentException", f"localaws delivers Direct PUT to S3; {what} is not supported")


def described(configuration: Parameters) -> Parameters:
    """What DescribeDeliveryStream will say: what was asked for, with AWS's defaults."""
    hints = {**_DEFAULT_HINTS, **configuration.get("BufferingHints", {})}
    if not 1 <= hints["SizeInMBs"] <= 128 or not 0 <= hints["IntervalInSeconds"] <= 900:
        raise AwsError("InvalidArgumentException", "BufferingHints: SizeInMBs is 1 to 128, IntervalInSeconds 0 to 900")
    compression = configuration.get("CompressionFormat", "UNCOMPRESSED")
    if compression not in _EXTENSIONS:
        raise _refused(f"the compression format {compression}")
    _check_time_zone(configuration.get("CustomTimeZone", "UTC"))
    prefixes.check(configuration.get("Prefix", ""), configuration.get("ErrorOutputPrefix", ""))
    defaults = {
        "CompressionFormat": compression,
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
        "ProcessingConfiguration": {"Enabled": False, "Processors": []},
        "S3BackupMode": "Disabled",
        "CustomTimeZone": "UTC",
    }
    return {**defaults, **configuration, "BufferingHints": hints}


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as e:  # an empty name, one with "..", a directory's, one of no zone
        raise AwsError("InvalidArgumentException", f"CustomTimeZone: {name!r} is no time zone") from e


def destination(described: Parameters) -> Destination:
    compression = described["CompressionFormat"]
    delimiters = [p for p in _processors(described) if p["Type"] == "AppendDelimiterToRecord"]
    return Destination(
        bucket=described["BucketARN"].rpartition(":")[2],
        prefix=described.get("Prefix", ""),
        size=described["BufferingHints"]["SizeInMBs"] * _MIB,
        interval=described["BufferingHints"]["IntervalInSeconds"],
        gzip=compression == "GZIP",
        extension=described.get("FileExtension") or _EXTENSIONS[compression],
        time_zone=described["CustomTimeZone"],
        delimiter=_delimiter(delimiters[0]) if delimiters else b"",
    )


def _delimiter(processor: Parameters) -> bytes:
    r"""The processor's Delimiter parameter, "\n" (two characters) by default."""
    given = {p["ParameterName"]: p["ParameterValue"] for p in processor.get("Parameters", [])}
    text: str = given.get("Delimiter", "\\n")
    return text.replace("\\n", "\n").encode()
