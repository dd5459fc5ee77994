"""The way in for clicks: clients that sites already run send here, and each event becomes a line of the stream.

A request's walk, in the order of the files:

settings.py        which sites may send, from which origins; what is trusted, kept and limited
request.py         Request, Answer, and the errors that are answers
admission.py       may this request send at all: origin, write key
body.py            bytes -> JSON: gzip, one or many, as strict as possible and as tolerant as necessary
dialects/          what a client says -> input events, each dialect with a table (its __init__ is the map)
event.py           one event on its way: its JSON text, and what of it the collector has to know
visitor.py         what the request itself tells of the visitor: address, headers, cookie, consent
newcomer.py        the id of a visitor without a cookie
anonymise.py       an event without who it was, for a visitor who asks for that
collect.py         all of it in order; pure but for the clock and the ids that it is given
openapi.py         the routes, described

Between two edges:

room.py            how much may wait in memory
delivery.py        lines -> the durable spool, or straight to the stream; only then is success answered
direct.py          lines -> PutRecordBatch, until Firehose has them or the time is over
wire.py app.py     on a machine of one's own: ASGI, and its pages /health and /metrics
serving.py         the process around it
function.py        on AWS: Lambda behind an HTTP API or a function URL
counts.py          what was done, in numbers
reach.py           is an address this machine's alone?
trouble.py         what may be logged of an error that nobody foresaw
"""
