"""IAM's GetUser without a name: who calls, by the key that signed the request.

docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html. moto knows no key but those that it made and answers any
other with a user that it makes up. The endpoint's owner is none of moto's users and is answered here.
"""

from datetime import UTC, datetime

from localaws.control.call import Call
from localaws.credentials import OWNER
from localaws.errors import AwsError
from localaws.wire import Caller, Response

_XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/"


def is_asked(call: Call) -> bool:
    return (call.service, call.operation) == ("iam", "GetUser") and not call.parameters().get("UserName")


def name(caller: Caller) -> str:
    """AwsError for a session of a role or of a federated user, who is no user of IAM."""
    kind, _, path = caller.arn.rpartition(":")[2].partition("/")
    if kind != "user":
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials")
    return path.rpartition("/")[2]


def answer(caller: Caller, made: float) -> Response:
    """The endpoint's owner, made in the epoch second `made`."""
    date = datetime.fromtimestamp(made, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    user = f"<Path>/</Path><UserName>{OWNER}</UserName><UserId>{caller.user_id}</UserId><Arn>{caller.arn}</Arn>"
    result = f"<GetUserResult><User>{user}<CreateDate>{date}</CreateDate></User></GetUserResult>"
    body = f'<GetUserResponse xmlns="{_XMLNS}">{result}</GetUserResponse>'
    return Response(200, {"content-type": "text/xml"}, body.encode())
