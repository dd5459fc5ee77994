"""StartQueryExecution's parameters and the workgroup's settings, made into the QueryExecution that they ask for."""

from collections.abc import Sequence

from localaws.athena import reuse
from localaws.athena.catalog import Document, bucket_and_key
from localaws.athena.managed import is_managed
from localaws.athena.pages import invalid
from localaws.athena.statements import Statement, classify, tokens
from localaws.wire import Parameters

_LONGEST = 262144  # bytes; "QueryString ... maximum length of 262144"
# What writes has a directory or nothing there (querying-finding-output-files.html): where it is, how its name ends.
_WRITTEN = {"CREATE_TABLE_AS_SELECT": ("tables/", ""), "INSERT": ("", ""), "UNLOAD": ("", "")}
# Words that are values of their own.
_WORDS = {"TRUE", "FALSE", "NULL", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP"}
_NO_REUSE = {"ResultReuseByAgeConfiguration": {"Enabled": False}}


def described(p: Parameters, group: Document, now: float) -> tuple[Statement, Document]:
    """The statement, and a QueryExecution still without a number. Raises InvalidRequestException."""
    if len(p["QueryString"].encode()) > _LONGEST:
        raise invalid(f"Query string exceeds maximum length of {_LONGEST} bytes")
    if group["State"] != "ENABLED":
        raise invalid(f"WorkGroup {group['Name']} is disabled.")
    place = _result_place(p, group)
    statement = classify(p["QueryString"])
    _refuse_own_location(statement, group)
    return statement, {
        "Query": _as_sent(p["QueryString"], statement),
        "StatementType": statement.type,
        "SubstatementType": statement.kind,
        "ResultReuseConfiguration": reuse.checked(p.get("ResultReuseConfiguration") or _NO_REUSE),
        "QueryExecutionContext": {k: v.strip("`").lower() for k, v in p.get("QueryExecutionContext", {}).items()},
        "Status": {"State": "QUEUED", "SubmissionDateTime": now},
        "Statistics": {
            "TotalExecutionTimeInMillis": 0,
            "QueryQueueTimeInMillis": 0,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        },
        "WorkGroup": group["Name"],
        "EngineVersion": group["Configuration"]["EngineVersion"],
    } | {k: p[k] for k in ("ExecutionParameters",) if k in p} | place


def _as_sent(text: str, statement: Statement) -> str:
    """The text with its comments, by which clients find their queries again, and without the ; at its end."""
    rest = text[len(statement.text) :]
    return statement.text.strip() if not rest.strip("; \t\r\n") else text.strip()


def numbered(document: Document, number: str) -> Document:
    """With its id, which also names the result file."""
    if is_managed(document):
        return document | {"QueryExecutionId": number}
    suffix = ".csv" if document["StatementType"] == "DML" else ".txt"
    place, suffix = _WRITTEN.get(document["SubstatementType"], ("", suffix))
    configuration = document["ResultConfiguration"]
    url = f"{configuration['OutputLocation'].rstrip('/')}/{place}{number}{suffix}"
    return document | {"QueryExecutionId": number, "ResultConfiguration": configuration | {"OutputLocation": url}}


def values(parameters: Sequence[str]) -> list[str]:
    """ExecutionParameters as SQL. A word alone is a string without its quotes: awswrangler's tests, which are run on
    AWS, send b and Washington (aws-sdk-pandas, test_athena_paramstyle_qmark_parameters)."""
    return [f"'{p.strip()}'" if _is_bare(p) else p for p in parameters]


def _is_bare(parameter: str) -> bool:
    parts = tokens(parameter)
    return len(parts) == 1 and parts[0].kind == "word" and parts[0].word() not in _WORDS


def check_same(known: Document, asked: Document) -> None:
    """Raises InvalidRequestException if a request with the token of the execution `known` asks for something else.

    "If a parameter has changed, an error is returned" (API_StartQueryExecution.html): these three, as was measured on
    AWS (aoyagikouhei/athena-local, CHANGELOG.md, 2026-09-17)."""
    place = numbered(asked, known["QueryExecutionId"])["ResultConfiguration"].get("OutputLocation")
    reused = known["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]  # its place is the earlier query's
    if (
        known["Query"] != asked["Query"]
        or known["QueryExecutionContext"].get("Database") != asked["QueryExecutionContext"].get("Database")
        or (known["ResultConfiguration"].get("OutputLocation") != place and not reused)
    ):
        raise invalid("Idempotent parameters do not match", "IDEMPOTENT_PARAMETER_MISMATCH")


def _result_place(p: Parameters, group: Document) -> Document:
    """What a QueryExecution says of where its results go."""
    if not is_managed(group["Configuration"]):
        return {"ResultConfiguration": _result_configuration(p, group) | {"OutputLocation": _output_location(p, group)}}
    if p.get("ResultConfiguration"):
        raise invalid(f"WorkGroup {group['Name']} has managed query results, and takes no ResultConfiguration")
    kept = group["Configuration"]["ManagedQueryResultsConfiguration"]
    return {"ManagedQueryResultsConfiguration": kept, "ResultConfiguration": {}}


def _output_location(p: Parameters, group: Document) -> str:
    """The workgroup's if it enforces its configuration or the request has none."""
    configuration = group["Configuration"]
    own = configuration.get("ResultConfiguration", {}).get("OutputLocation")
    asked = p.get("ResultConfiguration", {}).get("OutputLocation")
    location = own if (configuration.get("EnforceWorkGroupConfiguration") and own) or not asked else asked
    if not location:
        raise invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if not location.startswith("s3://") or not bucket_and_key(location)[0]:
        raise invalid("outputLocation is not a valid S3 path.")
    return str(location)


def _refuse_own_location(statement: Statement, group: Document) -> None:
    """docs.aws.amazon.com/athena/latest/ug/workgroups-troubleshooting.html"""
    configuration = group["Configuration"]
    enforced = configuration.get("EnforceWorkGroupConfiguration") and configuration.get("ResultConfiguration", {}).get(
        "OutputLocation"
    )
    own = any(t.word() == "EXTERNAL_LOCATION" for t in statement.tokens)
    if enforced and own and statement.kind == "CREATE_TABLE_AS_SELECT":
        raise invalid(
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to "
            "an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query."
        )


def _result_configuration(p: Parameters, group: Document) -> Document:
    configuration = group["Configuration"]
    found = dict(configuration.get("ResultConfiguration", {}))
    if not configuration.get("EnforceWorkGroupConfiguration"):
        found |= p.get("ResultConfiguration", {})
    if found.get("EncryptionConfiguration", {}).get("EncryptionOption") == "CSE_KMS":
        raise invalid("EncryptionOption CSE_KMS is not supported by the local Athena yet; SSE_S3 and SSE_KMS are")
    return found
