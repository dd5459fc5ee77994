"""Lambda's control plane through boto3: what is set is what is answered, and the errors in AWS's own words."""

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from lambda_functions import ROLE, code_of, deploy, package

ECHO = "def handler(event, context):\n    return event\n"


def test_a_new_function_has_awss_defaults_and_is_active(functions: Any) -> None:
    code = package(ECHO)
    name = deploy(functions, ECHO, Code={"ZipFile": code})
    answer = functions.get_function(FunctionName=name)
    configuration = answer["Configuration"]
    assert answer["Code"]["RepositoryType"] == "S3"
    assert {
        k: configuration[k] for k in configuration if k not in {"LastModified", "RevisionId", "RuntimeVersionConfig"}
    } == {
        "FunctionName": name,
        "FunctionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}",
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "app.handler",
        "CodeSize": len(code),
        "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode(),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


def test_settings_are_answered_as_they_were_given(functions: Any) -> None:
    given: dict[str, Any] = {
        "Description": "what it does",
        "Timeout": 60,
        "MemorySize": 1024,
        "Architectures": ["arm64"],
        "Environment": {"Variables": {"STAGE": "dev"}},
        "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/team/functions"},
    }
    name = deploy(functions, ECHO, **given, Tags={"team": "data"})
    answer = functions.get_function(FunctionName=name)
    assert {k: answer["Configuration"][k] for k in given} == given
    assert answer["Tags"] == {"team": "data"}


def test_an_update_changes_what_it_names(functions: Any) -> None:
    name = deploy(functions, ECHO, Environment={"Variables": {"AA": "1"}}, Timeout=9)
    before = functions.get_function_configuration(FunctionName=name)
    empty: dict[str, Any] = {"Variables": {}}
    during = functions.update_function_configuration(FunctionName=name, MemorySize=256, Environment=empty)
    assert during["LastUpdateStatus"] == "InProgress"
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    after = functions.get_function_configuration(FunctionName=name)
    assert (after["MemorySize"], after["Timeout"]) == (256, 9)
    assert (after["Environment"], after["LastUpdateStatus"]) == (empty, "Successful")
    assert after["RevisionId"] != before["RevisionId"]


def test_an_update_on_an_old_revision_is_refused(functions: Any) -> None:
    name = deploy(functions, ECHO)
    with pytest.raises(ClientError) as error:
        functions.update_function_configuration(FunctionName=name, Timeout=5, RevisionId="old")
    assert code_of(error) == ("PreconditionFailedException", 412)


def test_a_name_that_is_taken_is_a_conflict(functions: Any) -> None:
    name = deploy(functions, ECHO)
    with pytest.raises(ClientError) as error:
        functions.create_function(
            FunctionName=name, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code={"ZipFile": package(ECHO)}
        )
    assert code_of(error) == ("ResourceConflictException", 409)


@pytest.mark.parametrize(
    "operation", ["get_function", "delete_function", "invoke", "get_policy", "list_versions_by_function"]
)
def test_an_unknown_function_is_not_found(functions: Any, operation: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(functions, operation)(FunctionName="no-such-function")
    assert code_of(error) == ("ResourceNotFoundException", 404)


def test_a_deleted_function_is_gone(functions: Any, endpoint: EndpointProcess) -> None:
    name = deploy(functions, ECHO)
    functions.invoke(FunctionName=name)
    assert functions.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(ClientError, match="Function not found"):
        functions.get_function(FunctionName=name)
    assert not (endpoint.data_dir / "functions" / name).exists()


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"Timeout": 901}, "ValidationException"),
        ({"EphemeralStorage": {"Size": 20000}}, "ValidationException"),
        ({"Architectures": ["x86"]}, "ValidationException"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException"),
        ({"Handler": "a b"}, "ValidationException"),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::bucket"}}, "InvalidParameterValueException"),
        ({"MemorySize": 20000}, "ValidationException"),
        ({"Role": "not-an-arn"}, "ValidationException"),
        ({"Runtime": "nodejs20.x"}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AA": "x" * 5000}}}, "InvalidParameterValueException"),
        ({"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:l:1"]}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": b"not a zip"}}, "InvalidParameterValueException"),
        ({"Code": {}}, "InvalidParameterValueException"),
    ],
)
def test_bad_settings_are_refused(functions: Any, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        deploy(functions, ECHO, **settings)
    assert code_of(error) == (code, 400)


def test_functions_are_listed_in_pages(functions: Any) -> None:
    names = {deploy(functions, ECHO) for _ in range(3)}
    pages = list(functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}))
    listed = [f["FunctionName"] for page in pages for f in page["Functions"]]
    assert names <= set(listed)
    assert len(listed) == len(set(listed))
    assert all(len(page["Functions"]) <= 2 for page in pages)


def test_versions_keep_the_code_they_were_published_with(functions: Any) -> None:
    name = deploy(functions, "def handler(e, c): return 'one'", Publish=True)
    again = functions.publish_version(FunctionName=name)
    assert again["Version"] == "1"
    functions.update_function_code(FunctionName=name, ZipFile=package("def handler(e, c): return 'two'"))
    assert functions.publish_version(FunctionName=name)["Version"] == "2"
    answers = {q: json.load(functions.invoke(FunctionName=name, Qualifier=q)["Payload"]) for q in ("1", "2", "$LATEST")}
    assert answers == {"1": "one", "2": "two", "$LATEST": "two"}
    listed = functions.list_versions_by_function(FunctionName=name)["Versions"]
    assert [v["Version"] for v in listed] == ["$LATEST", "1", "2"]
    functions.delete_function(FunctionName=name, Qualifier="1")
    with pytest.raises(ClientError, match="Function not found"):
        functions.invoke(FunctionName=f"{name}:1")


def test_an_alias_is_a_name_for_a_version(functions: Any) -> None:
    name = deploy(
        functions, "def handler(e, c): return ['one', c.function_version, c.invoked_function_arn]", Publish=True
    )
    source = "def handler(e, c): return ['two', c.function_version, c.invoked_function_arn]"
    functions.update_function_code(FunctionName=name, ZipFile=package(source), Publish=True)
    alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert {k: alias[k] for k in ("AliasArn", "Name", "FunctionVersion", "Description")} == {
        "AliasArn": f"{arn}:live", "Name": "live", "FunctionVersion": "1", "Description": ""
    }  # fmt: skip
    answer = functions.invoke(FunctionName=f"{name}:live")
    assert (answer["ExecutedVersion"], json.load(answer["Payload"])) == ("1", ["one", "1", f"{arn}:live"])
    assert functions.get_function(FunctionName=name, Qualifier="live")["Configuration"]["FunctionArn"] == f"{arn}:live"
    with pytest.raises(ClientError, match="aliases reference it") as error:
        functions.delete_function(FunctionName=name, Qualifier="1")
    assert code_of(error) == ("ResourceConflictException", 409)
    routing = {"AdditionalVersionWeights": {"2": 1.0}}
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig=routing, RevisionId=alias["RevisionId"])
    assert functions.invoke(FunctionName=name, Qualifier="live")["ExecutedVersion"] == "2"
    with pytest.raises(ClientError) as error:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2", RevisionId=alias["RevisionId"])
    assert code_of(error) == ("PreconditionFailedException", 412)
    with pytest.raises(ClientError, match="Alias already exists") as error:
        functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert [a["Name"] for a in functions.list_aliases(FunctionName=name)["Aliases"]] == ["live"]
    functions.delete_alias(FunctionName=name, Name="live")
    with pytest.raises(ClientError, match="Cannot find alias arn") as error:
        functions.get_alias(FunctionName=name, Name="live")
    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName=name, Qualifier="live")
    assert code_of(error) == ("ResourceNotFoundException", 404)


def test_a_permission_is_a_statement_of_the_policy(functions: Any) -> None:
    name = deploy(functions, ECHO)
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    given = {
        "FunctionName": name,
        "StatementId": "s3",
        "Action": "lambda:InvokeFunction",
        "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::lake",
        "SourceAccount": "000000000000",
    }
    statement = {
        "Sid": "s3",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {
            "ArnLike": {"AWS:SourceArn": "arn:aws:s3:::lake"},
            "StringEquals": {"AWS:SourceAccount": "000000000000"},
        },
    }
    with pytest.raises(ClientError) as error:
        functions.add_permission(**given, RevisionId="old")
    assert code_of(error) == ("PreconditionFailedException", 412)
    revision = functions.get_function_configuration(FunctionName=name)["RevisionId"]
    assert json.loads(functions.add_permission(**given, RevisionId=revision)["Statement"]) == statement
    assert json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"] == [statement]
    with pytest.raises(ClientError) as error:
        functions.add_permission(**given)
    assert code_of(error) == ("ResourceConflictException", 409)
    functions.remove_permission(FunctionName=name, StatementId="s3")
    with pytest.raises(ClientError) as error:
        functions.get_policy(FunctionName=name)
    assert code_of(error) == ("ResourceNotFoundException", 404)


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        (
            "add_permission",
            {"StatementId": "s", "Action": "lambda:*", "Principal": "*", "Qualifier": "$LATEST"},
            "We curr",
        ),
        ("remove_permission", {"StatementId": "s"}, "No policy is associated with the given resource"),
        ("delete_function", {"Qualifier": "$LATEST"}, "cannot be deleted without deleting the function"),
        ("put_function_event_invoke_config", {}, "You must specify at least one of error handling or destination"),
        ("publish_version", {"RevisionId": "old"}, "The Revision Id provided does not match the latest Revision Id"),
        ("publish_version", {"CodeSha256": "other"}, "is different from current CodeSHA256 in"),
        ("create_alias", {"Name": "a", "FunctionVersion": "9"}, "Function not found"),
        ("put_function_recursion_config", {"RecursiveLoop": "Often"}, "Member must satisfy enum value set"),
        ("invoke", {"Qualifier": "nobody"}, "Function not found"),
    ],
)
def test_what_aws_refuses_is_refused_in_its_words(
    functions: Any, operation: str, parameters: dict[str, Any], code: str
) -> None:
    name = deploy(functions, ECHO)
    with pytest.raises(ClientError, match=code):
        getattr(functions, operation)(FunctionName=name, **parameters)


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        ("arn:aws:lambda:us-east-1:000000000000:function:nobody", "The destination ARN .* is invalid"),
        (
            "arn:aws:lambda:us-east-1:000000000000:function:{name}",
            "You can't specify the function as a destination for itself",
        ),
        ("arn:aws:sqs:us-east-1:000000000000:q.fifo", r"OnSuccess\(destination=.*\), onFailure=null\) is invalid"),
        ("arn:aws:events:us-east-1:000000000000:event-bus/default", "not to EventBridge"),
    ],
)
def test_destinations_that_can_not_be_had_are_refused(functions: Any, destination: str, message: str) -> None:
    name = deploy(functions, ECHO)
    config = {"OnSuccess": {"Destination": destination.format(name=name)}}
    with pytest.raises(ClientError, match=message) as error:
        functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig=config)
    assert code_of(error) == ("InvalidParameterValueException", 400)


def test_a_function_of_another_region_is_out_of_reach(functions: Any) -> None:
    with pytest.raises(ClientError, match="not reachable in this region") as error:
        functions.get_function(FunctionName="arn:aws:lambda:eu-west-1:000000000000:function:f")
    assert code_of(error) == ("ResourceNotFoundException", 404)


def test_tags_are_added_and_removed(functions: Any) -> None:
    name = deploy(functions, ECHO, Tags={"a": "1", "b": "2"})
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.tag_resource(Resource=arn, Tags={"c": "3"})
    functions.untag_resource(Resource=arn, TagKeys=["a", "b"])
    with pytest.raises(ClientError, match="exceeds resource tag limit"):
        functions.tag_resource(Resource=arn, Tags={str(number): "" for number in range(50)})
    with pytest.raises(ClientError, match="Tags on function aliases and versions are not supported"):
        functions.tag_resource(Resource=f"{arn}:$LATEST", Tags={"c": "3"})
    assert functions.list_tags(Resource=arn)["Tags"] == {"c": "3"}


def test_the_event_invoke_config_is_kept_merged_and_deleted(functions: Any) -> None:
    name = deploy(functions, ECHO)
    with pytest.raises(ClientError) as error:
        functions.get_function_event_invoke_config(FunctionName=name)
    assert code_of(error) == ("ResourceNotFoundException", 404)
    destination = {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:000000000000:dead"}}
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=destination)
    functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    config = functions.get_function_event_invoke_config(FunctionName=name)
    assert config["FunctionArn"].endswith(f":{name}:$LATEST")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    assert config["DestinationConfig"] == destination | {"OnSuccess": {}}
    functions.delete_function_event_invoke_config(FunctionName=name)
    assert functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"] == []


def test_what_terraform_asks_at_every_refresh_is_answered(functions: Any) -> None:
    name = deploy(functions, ECHO)
    assert functions.get_function_code_signing_config(FunctionName=name)["CodeSigningConfigArn"] == ""
    assert functions.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
