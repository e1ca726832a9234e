"""What the web application of the shop does with its tasks, a function for each of its routes. It is run as it is against
Redis and workers, and against quell: only ORDERS_REDIS differs."""
import json
import sys
from datetime import datetime, timedelta, timezone

import orders
from celery import chain
from celery.result import AsyncResult

WAIT = 60


def post_order(order, items):
    """POST /orders: the price, the charge and the invoice, one behind the other."""
    price = orders.checkout.delay(order, items).get(timeout=WAIT)
    charge = orders.charge.delay(price).get(timeout=WAIT)
    paper = chain(orders.total.s([price]), orders.invoice.s(order))()
    return {"price": price, "charge": charge, "paper": paper.get(timeout=WAIT)}


def get_stock(shelves):
    """GET /stock"""
    return orders.fetch_stock.delay(shelves).get(timeout=WAIT)


def post_reminder(order, seconds):
    """POST /reminders: due later, by an ETA."""
    eta = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return orders.remind.apply_async((order,), eta=eta).get(timeout=WAIT)


def delete_reminder(order):
    """DELETE /reminders: it never comes."""
    result = orders.remind.apply_async((order,), countdown=3600)
    result.revoke()
    return AsyncResult(result.id, app=orders.app).id == result.id


def get_packing(items):
    """GET /packing: how far it is, and what it came to."""
    result = orders.pack.delay(items)
    return [result.get(timeout=WAIT), result.state]


def main():
    items = [("anvil", 2), ("rope", 4)]
    print(json.dumps({
        "order": post_order("A-1", items), "stock": get_stock(["b", "a", "c"]), "reminder": post_reminder("A-1", 0.5),
        "revoked": delete_reminder("A-2"), "packing": get_packing(["anvil", "rope"])}, sort_keys=True))


if __name__ == "__main__":
    sys.exit(main())
