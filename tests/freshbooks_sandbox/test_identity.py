from __future__ import annotations

from typing import TYPE_CHECKING

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
