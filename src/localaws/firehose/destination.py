"""A delivery stream's configuration: what was asked for -> what Describe answers -> what delivery needs. Pure.

Everything that localaws does not do is refused here by its name, before a record depends on it. Taken and without
effect: RoleARN, EncryptionConfiguration (objects are as the bucket has them), DirectPutSourceConfiguration.
"""

import re
from zoneinfo import ZoneInfo

from localaws.errors import AwsError
from localaws.firehose import prefix as prefixes
from localaws.firehose.courier import Destination
from localaws.wire import Parameters

_MIB = 2**20
_DEFAULT_HINTS = {"SizeInMBs": 5, "IntervalInSeconds": 300}
_EXTENSIONS = {"GZIP": ".gz", "UNCOMPRESSED": ""}
_CREATED = ("ExtendedS3DestinationConfiguration", "S3DestinationConfiguration")
_UPDATED = ("ExtendedS3DestinationUpdate", "S3DestinationUpdate")
_OTHER = re.compile(r"(SourceConfiguration|DestinationConfiguration|DestinationUpdate)$")
# Of the processors only AppendDelimiterToRecord works without Lambda and without dynamic partitioning.
_PROCESSORS = {"AppendDelimiterToRecord"}
_ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t"}

EXTENDED_ONLY = {
    "ProcessingConfiguration",
    "S3BackupMode",
    "DataFormatConversionConfiguration",
    "DynamicPartitioningConfiguration",
    "FileExtension",
    "CustomTimeZone",
}


def requested(call: Parameters) -> Parameters:
    """What DescribeDeliveryStream will say of the destination of a CreateDeliveryStream: what was asked for, with AWS's
    defaults. AwsError for what AWS would not take, and by its name for what is not done."""
    if call.get("DeliveryStreamType", "DirectPut") != "DirectPut":
        raise _refused(f"the source {call['DeliveryStreamType']}")
    return _described(_of_s3(call, _CREATED))


def updated(described: Parameters, call: Parameters) -> Parameters:
    """The same after an UpdateDestination: what the call does not name stays ("Firehose merges the configuration
    parameters specified with the destination configuration that already exists")."""
    return _described({**described, **_of_s3(call, _UPDATED)})


def _of_s3(call: Parameters, names: tuple[str, ...]) -> Parameters:
    """The call's one destination, which must be S3."""
    for name in call:
        if _OTHER.search(name) and name not in (*names, "DirectPutSourceConfiguration"):
            raise _refused(name)
    found: list[Parameters] = [call[name] for name in names if name in call]
    if len(found) != 1:
        raise AwsError("InvalidArgumentException", "Exactly one destination configuration is supported for a Firehose")
    return found[0]


def _described(configuration: Parameters) -> Parameters:
    _refuse_what_is_not_done(configuration)
    prefixes.check(configuration.get("Prefix", ""), configuration.get("ErrorOutputPrefix", ""))
    time_zone = configuration.get("CustomTimeZone") or "UTC"
    _check_time_zone(time_zone)
    _check_logging(configuration.get("CloudWatchLoggingOptions", {}))
    defaults = {
        "CompressionFormat": "UNCOMPRESSED",
        "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
        "CloudWatchLoggingOptions": {"Enabled": False},
        "ProcessingConfiguration": {"Enabled": False, "Processors": []},
        "S3BackupMode": "Disabled",
    }
    given = {name: value for name, value in configuration.items() if not name.startswith("S3Backup")}
    return {**defaults, **given, "CustomTimeZone": time_zone, "BufferingHints": _hints(configuration)}


def _refuse_what_is_not_done(configuration: Parameters) -> None:
    for name, default in (("DataFormatConversionConfiguration", True), ("DynamicPartitioningConfiguration", False)):
        if name in configuration and configuration[name].get("Enabled", default):
            raise _refused(name)
    if configuration.get("S3BackupMode") == "Enabled":
        raise _refused("S3BackupMode")
    compression = configuration.get("CompressionFormat", "UNCOMPRESSED")
    if compression not in _EXTENSIONS:
        raise _refused(f"the compression format {compression}")
    for processor in _processors(configuration):
        if processor["Type"] not in _PROCESSORS:
            raise _refused(f"the processor {processor['Type']}")
        for parameter in processor.get("Parameters", []):
            if parameter["ParameterName"] != "Delimiter":
                raise _refused(f"the parameter {parameter['ParameterName']} of {processor['Type']}")


def _processors(configuration: Parameters) -> list[Parameters]:
    processing = configuration.get("ProcessingConfiguration") or {}
    return list(processing.get("Processors", [])) if processing.get("Enabled") else []


def _refused(what: str) -> AwsError:
    return AwsError("InvalidArgumentException", f"localaws delivers Direct PUT to S3; {what} is not supported")


def _hints(configuration: Parameters) -> Parameters:
    """Both or none ("if you specify a value for it, you must also specify a value for IntervalInSeconds")."""
    hints: Parameters = configuration.get("BufferingHints") or _DEFAULT_HINTS
    for name in _DEFAULT_HINTS:
        if name not in hints:
            raise AwsError("InvalidArgumentException", f"BufferingHints: {name} must be specified with the other")
    return hints


def _check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError) as e:  # one with "..", a directory's, one of no zone
        raise AwsError("InvalidArgumentException", f"CustomTimeZone: {name!r} is no time zone") from e


def _check_logging(options: Parameters) -> None:
    if options.get("Enabled") and not (options.get("LogGroupName") and options.get("LogStreamName")):
        text = "LogGroupName and LogStreamName must be specified when CloudWatch logging is enabled"
        raise AwsError("InvalidArgumentException", text)


def destination(described: Parameters, version: int) -> Destination:
    compression = described["CompressionFormat"]
    delimiters = [p for p in _processors(described) if p["Type"] == "AppendDelimiterToRecord"]
    logging = described["CloudWatchLoggingOptions"]
    return Destination(
        version=version,
        bucket=described["BucketARN"].rpartition(":")[2],
        prefix=described.get("Prefix", ""),
        size=described["BufferingHints"]["SizeInMBs"] * _MIB,
        interval=described["BufferingHints"]["IntervalInSeconds"],
        gzip=compression == "GZIP",
        extension=described.get("FileExtension") or _EXTENSIONS[compression],
        time_zone=described["CustomTimeZone"],
        delimiter=_delimiter(delimiters[0]) if delimiters else b"",
        log=(logging["LogGroupName"], logging["LogStreamName"]) if logging.get("Enabled") else None,
        role=described["RoleARN"],
    )


def _delimiter(processor: Parameters) -> bytes:
    r"""The processor's Delimiter parameter, "\n" (two characters) by default."""
    given = {p["ParameterName"]: p["ParameterValue"] for p in processor.get("Parameters", [])}
    text: str = given.get("Delimiter", r"\n")
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text.encode()
