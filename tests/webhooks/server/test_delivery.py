from __future__ import annotations

import pytest

from tap_freshbooks.webhooks.inbox import Event
from tap_freshbooks.webhooks.server.delivery import (
    MalformedDeliveryError,
    Verification,
    parse_delivery,
    parse_form,
)
from tap_freshbooks.webhooks.server.signature import verify_signature
from tests.webhooks.receivers import SECRET

INVOICE = (
    b"name=invoice.create&object_id=904417&account_id=Qx7Lm2&business_id=7712034"
    b"&identity_id=5120883&user_id=1"
)
TIME_ENTRY = (
    b"name=time_entry.update&object_id=88120456&account_id=Qx7Lm2&business_id=7712034"
    b"&identity_id=5120883&user_id=1"
)
VERIFICATION = (
    b"name=callback.verify&object_id=2417&account_id=Qx7Lm2&user_id=1"
    b"&verifier=tR7vQ2mXk9LbZ4cWn8HdYp3sJfG6uAe1Vo"
)
RIGHT = "zcA8PVtd3znV0ntQtXM70fN7fFFMNwtv6FihHLsWUyU="


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (INVOICE, RIGHT),
        (TIME_ENTRY, "yjIG8pKBXdEfoU9uFDZr+AtQBLjRswM3KK29NlNL9rI="),
        (VERIFICATION, "B9mxhsPJTECKx/QT1u+132mYbtPt3vxbL23AVJJRwOw="),
    ],
)
def test_right_signatures(body: bytes, signature: str) -> None:
    assert verify_signature(signature, SECRET, parse_form(body))


@pytest.mark.parametrize(
    "signature",
    [
        "eIr9sNdiqmnK78MJQG2whlMzR+uqXH6B+I8YdoHyfVs=",  # of the raw body
        "ldUjMen2pZ4YMOz3uKBfeksMxwilBU1FPxJrlBfNFCE=",  # of compact JSON
        "oWWVlYur8+lRMynU8k2xNHwUGNxE3zg8xUKZDDmVtn8=",  # with numbers unquoted
        RIGHT.lower(),
        RIGHT[:-1],
        RIGHT + " ",
        "",
        "é",
        "\ud800",
    ],
)
def test_wrong_signatures(signature: str) -> None:
    assert not verify_signature(signature, SECRET, parse_form(INVOICE))


def test_the_order_of_the_body_is_signed() -> None:
    fields = parse_form(INVOICE)
    assert not verify_signature(RIGHT, SECRET, dict(sorted(fields.items())))


def test_another_verifier() -> None:
    assert not verify_signature(RIGHT, SECRET[:-1], parse_form(INVOICE))


def test_deliveries_are_events_and_verifications() -> None:
    assert parse_delivery(parse_form(INVOICE)) == Event(
        "Qx7Lm2", "invoice.create", "904417", "7712034"
    )
    assert parse_delivery(parse_form(VERIFICATION)) == Verification(2417, SECRET)
    assert SECRET not in repr(parse_delivery(parse_form(VERIFICATION)))
    recorded = b"name=tax.delete&object_id=7&user_id=1&account_id=a"
    assert parse_delivery(parse_form(recorded)) == Event("a", "tax.delete", "7")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"name=invoice.create",
        b"name=invoice.create&object_id=&account_id=a",
        b"name=invoice.create&object_id=1&account_id=a&object_id=2",
        b"name=invoice.create&object_id=1&account_id=%ff",
        b"\xff\xfe",
        b"name=invoice.create&object_id=1%00&account_id=a",
        b"name=invoice.create&account_id=a&object_id=" + b"1" * 201,
        b"name=callback.verify&object_id=x&verifier=a",
        b"name=callback.verify&object_id=12345678901234567890&verifier=a",
        b"name=callback.verify&object_id=1",
        b"&".join(b"f%d=1" % number for number in range(33)),
    ],
)
def test_malformed_deliveries(body: bytes) -> None:
    with pytest.raises(MalformedDeliveryError):
        parse_delivery(parse_form(body))
