"""What a run costs, from what it does and prices.json: printed before anybody is asked. No free tier counts."""

from dataclasses import dataclass

from clicklake import price_list


@dataclass(frozen=True, slots=True)
class Item:
    """`amount` of what `price` in prices.json is of, rounded up from what a run was seen to need."""

    what: str
    amount: float
    price: str


ITEMS = (
    Item("Athena, 40 queries of 10 MB, the least that is charged", 40 * 10e6 / 2**40, "athena_tib"),
    Item("S3, 1,000 PUT and LIST requests, Terraform's among them", 1_000, "s3_put"),
    Item("S3, 10,000 GET requests, Athena's among them", 10_000, "s3_get"),
    Item("Lambda, 20 invocations of 10 s with 1 GiB", 200, "lambda_x86_gib_second"),
    Item("Firehose, 20 records, each rounded up to 5 KiB", 20 * 5120 / 2**30, "firehose_gib"),
    Item("CloudWatch Logs, 1 MB", 0.001, "logs_gib"),
    Item("X-Ray, 20 traces", 20, "xray_trace"),
)


def usd() -> dict[str, float]:
    prices = price_list.load()
    return {item.what: item.amount * prices[item.price] for item in ITEMS}


def lines() -> list[str]:
    each = [f"  {of:8.4f} USD  {what}" for what, of in usd().items()]
    return ["What a run costs in us-east-1, where nothing is free:", *each, f"  {sum(usd().values()):8.4f} USD  in all"]
