"""XML by botocore's shapes: documents in, parameters out, and back. Pure.

A document type declaration is refused, so no entity can expand into more than was sent.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from botocore.model import ListShape, Shape, StructureShape

from localaws.errors import AwsError
from localaws.wire import Parameters

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_DEEPEST = 32
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def malformed() -> AwsError:
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedXML", text)


def parse(document: bytes, shape: Shape) -> Parameters:
    """The document's content as `shape` names and types it. Raises MalformedXML also for a missing required member."""
    root = _tree(document)
    if root.tag != shape.serialization.get("name", shape.name):
        raise malformed()
    value: Parameters = _value(root, shape)
    return value


def check(document: bytes) -> None:
    """Raises MalformedXML for what is no document at all, or a bomb."""
    _tree(document)


def _tree(document: bytes) -> Element:
    builder = TreeBuilder()
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise malformed()
        builder.start(_local(name), {_local(k): v for k, v in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    def refuse(*_: object) -> None:
        raise malformed()

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, LookupError) as e:  # LookupError: an encoding that nobody knows
        raise malformed() from e
    return builder.close()


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _value(element: Element, shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(element, shape)
    if isinstance(shape, ListShape):
        name = shape.member.serialization.get("name", "member")
        return [_value(child, shape.member) for child in element if child.tag == name]
    text = element.text or ""
    try:
        return _SCALARS.get(shape.type_name, str)(text)
    except (ValueError, KeyError) as e:
        raise malformed() from e


_SCALARS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "long": int,
    "boolean": lambda text: {"true": True, "false": False}[text.strip().lower()],
    "timestamp": lambda text: datetime.fromisoformat(text.strip()).timestamp(),
}


def _structure(element: Element, shape: StructureShape) -> Parameters:
    found: Parameters = {}
    for name, member in shape.members.items():
        tag = _tag(name, member)
        if member.serialization.get("xmlAttribute"):
            if (attribute := element.get(tag.rpartition(":")[2])) is not None:
                found[name] = attribute
            continue
        children = element.findall(tag)
        if children and isinstance(member, ListShape) and member.serialization.get("flattened"):
            found[name] = [_value(child, member.member) for child in children]
        elif children:
            found[name] = _value(children[0], member)
    if shape.name == "Tagging":
        found.setdefault("TagSet", [])  # without one S3 takes it for empty
    if any(name not in found for name in shape.required_members):
        raise malformed()
    return found


def _tag(name: str, member: Shape) -> str:
    """A member's element: of a flattened list its items' name, if they have one."""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        own: str | None = member.member.serialization.get("name")
        if own is not None:
            return own
    tag: str = member.serialization.get("name", name)
    return tag


def render(root: str, shape: StructureShape, answer: Parameters) -> bytes:
    """`answer` as a document; members in the model's order, None left out, times in epoch seconds.

    A structure whose only member has the root's own name is that text alone (GetBucketLocation's LocationConstraint).
    """
    is_text = list(shape.members) == [root]
    content = (answer.get(root) or "") if is_text else "".join(_members(shape, answer))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()


def _members(shape: StructureShape, answer: Parameters) -> Iterator[str]:
    for name, member in shape.members.items():
        value = answer.get(name)
        if value is None or "location" in member.serialization or member.serialization.get("xmlAttribute"):
            continue
        tag = _tag(name, member)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            yield from (_element(tag, member.member, item) for item in value)
        else:
            yield _element(tag, member, value)


def _element(tag: str, shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return f"<{tag}{_attributes(shape, value)}>{''.join(_members(shape, value))}</{tag}>"
    if isinstance(shape, ListShape):
        name = shape.member.serialization.get("name", "member")
        return f"<{tag}>{''.join(_element(name, shape.member, item) for item in value)}</{tag}>"
    return f"<{tag}>{_text(shape, value)}</{tag}>"


def _attributes(shape: StructureShape, value: Parameters) -> str:
    names = {n: m.serialization["name"] for n, m in shape.members.items() if m.serialization.get("xmlAttribute")}
    written = "".join(f" {tag}={quoteattr(value[name])}" for name, tag in names.items() if name in value)
    return f' xmlns:xsi="{_XSI}"{written}' if written else ""


def _text(shape: Shape, value: Any) -> str:
    if shape.type_name == "timestamp":
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0]) or f"&#x{ord(found[0]):x};", str(value))


# Characters that don't stand for themselves. XML 1.0 has no way to write most controls; S3 writes character references
# all the same and offers encoding-type=url.
# The named ones by name, as S3 writes them: DuckDB's httpfs knows an ETag's quotes by nothing else.
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_SPECIAL = re.compile(r"[&<>\"\x00-\x08\x0b-\x1f]")
