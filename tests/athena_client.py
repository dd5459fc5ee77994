"""A query from its text to its rows, through boto3, as an analyst's tool does it."""

import time
from dataclasses import dataclass
from typing import Any

RESULTS = "s3://lake/results/"


@dataclass
class Queries:
    """Runs SQL in one database; results go to the bucket `lake`."""

    client: Any
    database: str = "db"

    def start(self, sql: str, **parameters: Any) -> str:
        defaults = {
            "QueryExecutionContext": {"Database": self.database},
            "ResultConfiguration": {"OutputLocation": RESULTS},
        }
        number: str = self.client.start_query_execution(QueryString=sql, **(defaults | parameters))["QueryExecutionId"]
        return number

    def wait(self, number: str, seconds: float = 30) -> Any:
        """The QueryExecution once it has ended."""
        began = time.monotonic()
        while (waited := time.monotonic() - began) < seconds:
            execution = self.client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return execution
            time.sleep(min(max(waited / 4, 0.005), 0.1))
        raise TimeoutError(number)

    def run(self, sql: str, **parameters: Any) -> Any:
        """The QueryExecution of a query that must succeed."""
        execution = self.wait(self.start(sql, **parameters))
        assert execution["Status"]["State"] == "SUCCEEDED", (sql, execution["Status"].get("StateChangeReason"))
        return execution

    def rows(self, sql: str, **parameters: Any) -> list[list[str | None]]:
        """Every row as text, None for NULL; without a SELECT's header."""
        execution = self.run(sql, **parameters)
        answer = self.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        every = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]
        return every[1:] if execution["StatementType"] == "DML" else every

    def columns(self, sql: str) -> list[tuple[str, str]]:
        """(name, type) of the result's columns."""
        answer = self.client.get_query_results(QueryExecutionId=self.run(sql)["QueryExecutionId"])
        return [(c["Name"], c["Type"]) for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]

    def failure(self, sql: str, **parameters: Any) -> str:
        """Why a query that must fail has failed."""
        execution = self.wait(self.start(sql, **parameters))
        assert execution["Status"]["State"] == "FAILED", sql
        reason: str = execution["Status"]["StateChangeReason"]
        return reason
