"""STS GetCallerIdentity, the first command of every walk; answered here so that it need not wait for moto.

All other STS operations are moto's.
"""

from urllib.parse import parse_qs

from localaws.wire import Handler, Request, Response


def sts(account: str, otherwise: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        form = parse_qs(request.body.read().decode("utf-8", "replace"))
        if form.get("Action") != ["GetCallerIdentity"]:
            return await otherwise(request)
        caller = request.caller
        result = f"<Arn>{caller.arn}</Arn><UserId>{caller.access_key}</UserId><Account>{account}</Account>"
        answer = (
            '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
        return Response(200, {"content-type": "text/xml"}, answer.encode())

    return handle
