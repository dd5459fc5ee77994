"""The way in for clicks: clients that sites already run send here, and each event becomes a line of the stream.

A request's walk, in the order of the files:

settings.py        which sites may send, from which origins; what is trusted, kept and limited
request.py         Request, Answer, and the errors that are answers
admission.py       may this request send at all: origin, write key, size
body.py            bytes -> JSON: gzip, one or many, as strict as possible and as tolerant as necessary
dialects/          what a client says -> input events, each dialect a file with a table
visitor.py         what the request itself tells of the visitor: address, headers, cookie, consent
newcomer.py        the id of a visitor without a cookie
collect.py         all of it in order; pure but for the clock and the ids that it is given
delivery.py        lines -> the durable spool, or straight to the stream; only then is success answered
app.py             the edge on a machine of one's own: ASGI
function.py        the edge on AWS: Lambda behind an HTTP API or a Function URL
openapi.py         the same routes, described
"""
