"""Packages of functions and layers: where they come from, what is unpacked of them, and what is refused."""

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from lambda_functions import ROLE, code_of, deploy, package

ECHO = "def handler(event, context):\n    return event\n"


Client = Callable[..., Any]


def test_the_package_can_be_had_again(functions: Any) -> None:
    code = package(ECHO)
    name = deploy(functions, ECHO, Code={"ZipFile": code})
    location = functions.get_function(FunctionName=name)["Code"]["Location"]
    with urllib.request.urlopen(location) as answer:
        assert answer.read() == code


def test_code_comes_from_s3_too(aws: Client, functions: Any) -> None:
    s3 = aws("s3")
    s3.create_bucket(Bucket="packages")
    s3.put_object(Bucket="packages", Key="a/f.zip", Body=package(ECHO))
    name = deploy(functions, ECHO, Code={"S3Bucket": "packages", "S3Key": "a/f.zip"})
    assert functions.invoke(FunctionName=name, Payload=b"[1]")["Payload"].read() == b"[1]"


def test_a_package_that_is_not_in_s3_is_an_invalid_parameter(functions: Any) -> None:
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchBucket") as error:
        deploy(functions, ECHO, Code={"S3Bucket": "no-such-bucket-here", "S3Key": "f.zip"})
    assert code_of(error) == ("InvalidParameterValueException", 400)


@pytest.mark.parametrize("path", ["../evil.py", "/tmp/evil.py", "a/../../evil.py", "..\\evil.py", "C:\\evil.py"])
def test_a_package_can_only_fill_its_own_folder(functions: Any, path: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(path), "evil")
    with pytest.raises(ClientError, match="leaves its folder") as error:
        deploy(functions, ECHO, Code={"ZipFile": data.getvalue()})
    assert code_of(error) == ("InvalidParameterValueException", 400)


def linked(*links: tuple[str, str]) -> bytes:
    """A package with symbolic links: (path, where it leads)."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("real/app.py", ECHO)
        for path, target in links:
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, target)
    return data.getvalue()


def test_links_in_a_package_work(functions: Any) -> None:
    name = deploy(functions, ECHO, Code={"ZipFile": linked(("app.py", "real/app.py"), ("deep/up", "../real"))})
    assert functions.invoke(FunctionName=name, Payload=b"[1]")["Payload"].read() == b"[1]"


@pytest.mark.parametrize(
    "links",
    [
        [("app.py", "/etc/passwd")],
        [("app.py", "../../../credentials")],
        [("here", "."), ("deep/er/link", "../../here/../secret")],
        [("a", "b"), ("b", "a")],
    ],
)
def test_links_out_of_a_package_are_refused(functions: Any, links: list[tuple[str, str]]) -> None:
    with pytest.raises(ClientError, match=r"leaves its folder|Could not unzip") as error:
        deploy(functions, ECHO, Code={"ZipFile": linked(*links)})
    assert code_of(error) == ("InvalidParameterValueException", 400)


@pytest.mark.parametrize(
    ("said", "message"),
    [(9, "Could not unzip uploaded file"), (300 << 20, "Unzipped size must be smaller than 262144000 bytes")],
)
def test_a_package_is_not_believed_about_its_size(functions: Any, said: int, message: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", bytes(1234567))
    forged = data.getvalue().replace((1234567).to_bytes(4, "little"), said.to_bytes(4, "little"))
    with pytest.raises(ClientError, match=message) as error:
        deploy(functions, ECHO, Code={"ZipFile": forged})
    assert code_of(error) == ("InvalidParameterValueException", 400)


def layer(functions: Any, name: str, **files: str) -> str:
    """Publish a version of a layer; files as `package` takes them."""
    version = functions.publish_layer_version(
        LayerName=name, Content={"ZipFile": package(**files)}, CompatibleRuntimes=["python3.13"]
    )
    return str(version["LayerVersionArn"])


def test_a_function_imports_from_its_layers_and_the_last_one_counts(functions: Any) -> None:
    texts = layer(functions, "texts", python__hello="TEXT = 'one'", python__both="WHO = 'texts'")
    libraries = layer(functions, "libraries", **{"python__lib__python3.13__site-packages__both": "WHO = 'libraries'"})
    source = (
        "import hello, both, os\ndef handler(e, c): return [hello.TEXT, both.WHO, os.environ['PATH'].split('/')[-1]]"
    )
    name = deploy(functions, source, Layers=[texts, libraries])
    configuration = functions.get_function_configuration(FunctionName=name)
    assert [one["Arn"] for one in configuration["Layers"]] == [texts, libraries]
    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == ["one", "libraries", "bin"]
    newer = layer(functions, "texts", python__hello="TEXT = 'two'")
    assert newer == texts[:-1] + "2"
    functions.update_function_configuration(FunctionName=name, Layers=[libraries, newer])
    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == ["two", "libraries", "bin"]
    functions.delete_layer_version(LayerName="texts", VersionNumber=2)
    assert json.load(functions.invoke(FunctionName=name)["Payload"])[0] == "two"
    with pytest.raises(ClientError, match="does not exist") as error:
        deploy(functions, ECHO, Layers=[newer])
    assert code_of(error) == ("InvalidParameterValueException", 400)
    assert [v["Version"] for v in functions.list_layer_versions(LayerName="texts")["LayerVersions"]] == [1]
    (latest,) = [one for one in functions.list_layers()["Layers"] if one["LayerName"] == "texts"]
    assert latest["LatestMatchingVersion"]["LayerVersionArn"] == texts
    with pytest.raises(ClientError, match="Two different versions of the same layer"):
        deploy(functions, ECHO, Layers=[texts, texts])
    with pytest.raises(ClientError) as error:
        functions.get_layer_version(LayerName="texts", VersionNumber=2)
    assert code_of(error) == ("ResourceNotFoundException", 404)
    functions.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in functions.get_function_configuration(FunctionName=name)


def test_a_broken_package_leaves_nothing_behind(functions: Any, endpoint: EndpointProcess) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app", "a file")
        archive.writestr("app/inner.py", "in a folder of its name")
    with pytest.raises(ClientError, match="a file and a folder of one name"):
        functions.create_function(
            FunctionName="broken", Runtime="python3.13", Role=ROLE, Handler="a.b", Code={"ZipFile": data.getvalue()}
        )
    with pytest.raises(ClientError, match="Function not found"):
        functions.get_function(FunctionName="broken")
