"""What a run costs at most, from what it does: printed before anybody is asked.

Prices are us-east-1's in USD, of July 2024 (AWS's public price lists, as Infracost's tests quote them; Firehose's and
Athena's from their pricing pages); other regions differ by some ten per cent. Nothing is free here: no free tier counts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """`usd` is for one of `unit`; the amount is rounded up from what a run was seen to need."""

    what: str
    amount: float
    unit: str
    usd: float

    @property
    def cost(self) -> float:
        return self.amount * self.usd


ITEMS = (
    Item("Athena, 40 queries of 10 MB, the least that is charged", 40 * 10e6 / 2**40, "TiB", 5.00),
    Item("S3, PUT and LIST requests, Terraform's among them", 1.0, "thousand", 0.005),
    Item("S3, GET requests, Athena's among them", 10.0, "thousand", 0.0004),
    Item("Lambda, 20 invocations of 10 s with 1 GiB, arm64", 200, "GiB s", 0.0000133334),
    Item("Firehose, 20 records, each rounded up to 5 KiB", 20 * 5120 / 2**30, "GiB", 0.029),
    Item("CloudWatch Logs, taken in", 0.001, "GiB", 0.50),
    Item("SQS, Glue, X-Ray, IAM: less than", 1, "run", 0.001),
)


def total() -> float:
    return sum(item.cost for item in ITEMS)


def lines() -> list[str]:
    each = [f"  {item.cost:8.4f} USD  {item.what}" for item in ITEMS]
    return ["What a run costs, without any free tier:", *each, f"  {total():8.4f} USD  in all"]
