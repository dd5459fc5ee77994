"""`clicklake explain`: one event, from its row back to the bytes that were sent, and all that was done between.

trace.py        the walk of process.py record by record, and its enrichments one by one; pure
sent.py         what became of each name that was sent, and which values are private; pure
find.py         rows and failed records of an id, by Athena; the raw object, by S3
account.py      all of it as one JSON document, docs/explain.md describes it; pure
text.py         the document for people; pure
"""
