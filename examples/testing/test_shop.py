from shop import report_purchase, revenue


def test_a_purchase_is_reported(clicklake):
    report_purchase("order-1", 12.5, "EUR")
    [row] = clicklake.good(event_type="purchase")
    assert (row["event_id"], row["value"], row["currency"]) == ("order-1", 12.5, "EUR")


def test_a_purchase_that_was_sent_twice_counts_once(clicklake):
    purchase = {"event_type": "purchase", "event_id": "order-1", "value": 12.5, "currency": "EUR"}
    clicklake.send(purchase)
    clicklake.send(purchase)
    assert revenue("EUR") == 12.5
