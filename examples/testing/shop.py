"""A shop's own code, as it runs on AWS. It knows boto3, and nothing of clicklake."""

import json
import time

import boto3


def report_purchase(order: str, amount: float, currency: str) -> None:
    event = {"event_type": "purchase", "event_id": order, "value": amount, "currency": currency}
    boto3.client("firehose").put_record(
        DeliveryStreamName="clickstream-firehose-dev", Record={"Data": json.dumps(event).encode()}
    )


def revenue(currency: str) -> float:
    athena = boto3.client("athena")
    started = athena.start_query_execution(
        QueryString="SELECT sum(value) FROM clickstream_events_unique WHERE currency = ?",
        ExecutionParameters=[f"'{currency}'"],
        QueryExecutionContext={"Database": "clickstream_db"},
        WorkGroup="clickstream-dev",
    )
    query = started["QueryExecutionId"]
    while athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"] != "SUCCEEDED":
        time.sleep(0.05)
    _, row = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return float(row["Data"][0]["VarCharValue"])
