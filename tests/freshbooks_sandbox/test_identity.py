from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller


def test_users_me_names_four_businesses_in_different_states(caller: Caller) -> None:
    answer = caller.get("/auth/api/v1/users/me")
    assert answer.headers["ETag"].startswith('W/"')
    me = answer.json()["response"]
    roles = [membership["role"] for membership in me["business_memberships"]]
    accounts = [m["business"]["account_id"] is None for m in me["business_memberships"]]
    assert roles == ["owner", "owner", "owner", "client"]
    assert accounts == [False, False, True, False]


def test_membership_ids_are_not_business_ids(caller: Caller) -> None:
    me = caller.get("/auth/api/v1/users/me").json()["response"]
    for membership in me["business_memberships"]:
        assert membership["id"] != membership["business"]["id"]
        wrong = caller.get(f"/projects/business/{membership['id']}/projects")
        assert wrong.status_code == 404


def test_roles_of_the_accounting_system_differ_from_those_of_the_business(caller: Caller) -> None:
    me = caller.get("/auth/api/v1/users/me").json()["response"]
    assert [role["role"] for role in me["roles"]] == ["admin", "admin", "client"]
    assert all(len(m["fasttrack_token"]) > 20 for m in me["business_memberships"])


def test_without_a_token_nobody_is_known(caller: Caller) -> None:
    answer = requests.get(f"{caller.url}/auth/api/v1/users/me", timeout=30)
    assert answer.status_code == 401
    assert answer.json() == {
        "error": "unauthenticated",
        "error_description": "This action requires authentication to continue.",
    }


def test_team_members_page_without_pages(caller: Caller) -> None:
    path = f"/auth/api/v1/businesses/{caller.business}/team_members"
    answer = caller.get(path).json()
    assert answer["meta"] == {"page": 1, "per_page": 5, "total": 6}
    assert len(answer["response"]) == 5
    second = caller.get(f"{path}?page=2").json()["response"]
    assert len(second) == 1
    active = caller.get(f"{path}?active=true").json()
    assert active["meta"]["total"] == 4
    one = caller.get(f"{path}/{second[0]['uuid']}").json()["response"]
    assert one == second[0]
    invited = [m for m in answer["response"] + second if m["identity_id"] is None]
    assert [m["invitation_date_accepted"] for m in invited] == [None]
    assert caller.get("/auth/api/v1/businesses/1/team_members").status_code == 404


def flags(caller: Caller) -> dict[str, Any]:
    found = caller.get("/auth/api/v1/users/me").json()["response"]["permissions"]
    return dict(found[caller.account])


def test_flags_say_what_the_plan_has(caller: Caller) -> None:
    found = flags(caller)
    assert found.pop("accounts_payable_reports.access") is False
    assert {found[name] for name in found if name.endswith(".access")} == {True}
    assert found["client.limit"] == -1
    report = f"/accounting/account/{caller.account}/reports/accounting/accounts_payable_aging"
    assert caller.get(report).status_code == 403


def test_a_flag_is_off_where_its_feature_is_refused(writer: Caller) -> None:
    writer.sandbox.faults("deny", reason="feature", path="*/bills/bills")
    writer.sandbox.faults("deny", reason="scope", path="*/retainers")
    found = flags(writer)
    assert found["accounts_payable.access"] is False
    assert found["retainers_feature.access"] is True
    writer.sandbox.faults("deny", reason="plan", path="*/retainers", client_id="somebody")
    assert flags(writer)["retainers_feature.access"] is True
    writer.sandbox.faults("deny", reason="plan", path="*/retainers", client_id=writer.client_id)
    assert flags(writer)["retainers_feature.access"] is False
    assert {row["fired"] for row in writer.get("/_sandbox/faults").json()["faults"]} == {0}


def test_the_address_and_the_number_of_a_business_are_objects(caller: Caller) -> None:
    found = caller.get("/auth/api/v1/users/me").json()["response"]["business_memberships"]
    first, without_books = found[0]["business"], found[2]["business"]
    parts = {"id", "street", "street2", "city", "province", "country", "postal_code"}
    assert set(first["address"]) == parts
    assert set(first["phone_number"]) == {"id", "phone_number"}
    assert without_books["address"] is without_books["phone_number"] is None
