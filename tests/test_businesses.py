from __future__ import annotations

from typing import Any

import pytest

from tap_freshbooks.businesses import (
    IdentifierKind,
    Unusable,
    read_businesses,
    unreadable_memberships,
)

ODD = "a text with characters that lead elsewhere"


def membership(role: str = "owner", **business: Any) -> dict[str, Any]:
    return {"id": 6640217, "role": role, "business": {"id": 7712034, "name": "Harbour", **business}}


def test_the_business_id_is_not_the_membership_id() -> None:
    me = {
        "business_memberships": [
            membership(account_id="Qx7Lm2", business_uuid="1f2b7c90-4d11-4a86-b2a4-9b0f5f7f9a31")
        ]
    }
    [business] = read_businesses(me)
    assert business.identifier(IdentifierKind.BUSINESS) == 7712034
    assert business.identifier(IdentifierKind.ACCOUNT) == "Qx7Lm2"
    assert business.identifier(IdentifierKind.LEDGER) == "1f2b7c90-4d11-4a86-b2a4-9b0f5f7f9a31"


def test_a_business_may_lack_an_account_and_old_responses_lack_the_uuid() -> None:
    [business] = read_businesses({"business_memberships": [membership(account_id=None)]})
    assert business.identifier(IdentifierKind.ACCOUNT) is None
    assert business.identifier(IdentifierKind.LEDGER) is None
    assert not business.is_client_only


def test_a_customer_of_a_business_is_distinguished_from_its_members() -> None:
    roles = [{"role": "client", "accountid": "Other1"}, {"role": "admin", "accountid": "Qx7Lm2"}]
    memberships = [
        membership(account_id="Qx7Lm2"),
        membership(id=2, account_id="Other1"),
        membership(role="client", id=3, account_id="Third1"),
    ]
    businesses = read_businesses({"business_memberships": memberships, "roles": roles})
    assert [business.is_client_only for business in businesses] == [False, True, True]


def test_two_memberships_of_one_business_are_one_business_and_the_better_one() -> None:
    memberships = [membership(role="client"), membership(role="owner"), membership(role="client")]
    [business] = read_businesses({"business_memberships": memberships})
    assert business.role == "owner"


def test_memberships_without_a_business_are_no_businesses() -> None:
    assert read_businesses({"business_memberships": [{"id": 1, "business": None}]}) == []
    assert read_businesses({"business_memberships": None}) == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *((odd, ODD) for odd in ("../../x", "a/b", "a\nb", "a b", " ", "é", "\0")),
        ("x" * 65, "a text of 65 characters"),
        (["Qx7Lm2"], "a list"),
        ({"a": 1}, "an object"),
        (3.5, "a number"),
        (10**30, "a number"),
        (True, "true or false"),
    ],
)
def test_an_identifier_that_leads_elsewhere_is_none(value: Any, found: str) -> None:
    [business] = read_businesses({"business_memberships": [membership(account_id=value)]})
    assert business.account_id is None
    assert business.unusable == (Unusable(IdentifierKind.ACCOUNT, found),)
    assert business.lacks_usable(IdentifierKind.ACCOUNT)
    assert not business.lacks_usable(IdentifierKind.LEDGER)


@pytest.mark.parametrize("value", [None, ""])
def test_an_identifier_that_is_not_there_is_no_fault(value: Any) -> None:
    [business] = read_businesses({"business_memberships": [membership(account_id=value)]})
    assert business.account_id is None
    assert not business.unusable


@pytest.mark.parametrize("value", [None, "x", [7], {"id": 7}, "1e1000000", 10**30, True, -0.5])
def test_a_membership_whose_business_has_no_number_is_not_overlooked(value: Any) -> None:
    memberships = [membership(), membership(id=value)]
    me = {"business_memberships": [*memberships, {"id": 1, "business": None}]}
    assert unreadable_memberships(me) == 1
    assert len(read_businesses(me)) == 1


@pytest.mark.parametrize("value", ["x", 7, ["a"], None])
def test_a_membership_that_is_no_object_is_not_overlooked(value: Any) -> None:
    me = {"business_memberships": [membership(), value, {"id": 1, "business": "Harbour"}]}
    assert unreadable_memberships(me) == 2


def test_an_id_may_be_text() -> None:
    [business] = read_businesses({"business_memberships": [membership(id="7712034")]})
    assert business.business_id == 7712034
