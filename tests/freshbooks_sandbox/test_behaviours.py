from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def behaving(**behaviours: str) -> Iterator[Caller]:
    with Sandbox(invoices=40, rate_limit=0, behaviours=behaviours) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.session.close()


def test_updated_min_ignored_on_some_resources() -> None:
    with behaving(updated_filter_ignored="items,taxes") as caller:
        query = "search[updated_min]=2099-01-01"
        assert caller.accounting(f"items/items?{query}")["total"] > 0
        assert caller.accounting(f"users/clients?{query}")["total"] == 0
    with behaving(updated_filter_ignored="all") as caller:
        assert caller.accounting(f"users/clients?{query}")["total"] > 0


def test_deleted_records_that_cannot_be_read_by_their_ids() -> None:
    with behaving(deleted_unreadable="clients,projects") as caller:
        [client, *_] = caller.accounting("users/clients?search[vis_state]=1")["clients"]
        [project, *_] = caller.projects("?active=false")["projects"]
        [bill, *_] = caller.accounting("bills/bills?search[vis_state]=1")["bills"]
        account = f"/accounting/account/{caller.account}"
        assert caller.get(f"{account}/users/clients/{client['id']}").status_code == 404
        work = f"/projects/business/{caller.business}"
        assert caller.get(f"{work}/project/{project['id']}").status_code == 404
        assert caller.get(f"{account}/bills/bills/{bill['id']}").status_code == 200
        living = caller.accounting("users/clients")["clients"][0]
        assert caller.get(f"{account}/users/clients/{living['id']}").status_code == 200


def test_feature_flags_that_say_nothing_of_what_is_refused() -> None:
    with behaving(feature_flags="unrelated") as caller:
        permissions = caller.get("/auth/api/v1/users/me").json()["response"]["permissions"]
        assert permissions[caller.account]["accounts_payable.access"] is False
        assert caller.accounting("bills/bills")["total"] > 0


def test_updated_min_compared_by_utc_days() -> None:
    with behaving(updated_day_zone="utc") as caller:
        caller.sandbox.clock(now="2026-07-02T02:00:00Z", frozen=True)
        made = caller.sandbox.create("clients")[0]
        assert made["updated"] == "2026-07-01 22:00:00"
        found = caller.accounting("users/clients?search[updated_min]=2026-07-02")["clients"]
        assert [row["id"] for row in found] == [made["id"]]


def test_an_old_access_token_that_dies_at_the_refresh() -> None:
    with behaving(old_access_token="dies") as caller:
        caller.refresh(caller.tokens["refresh_token"])
        assert caller.get("/auth/api/v1/users/me").status_code == 401


def test_a_refresh_that_repeats_the_first_created_at() -> None:
    with behaving(refresh_created_at="original") as caller:
        caller.sandbox.clock(advance=1000)
        answer = caller.refresh(caller.tokens["refresh_token"]).json()
        assert answer["expires_in"] == 43_199
        assert answer["created_at"] == caller.tokens["created_at"]


def test_projects_shown_or_not() -> None:
    with behaving(deleted_projects="ignored", archived_projects="shown") as caller:
        assert caller.projects("?active=false")["projects"] == caller.projects()["projects"]
        assert {row["complete"] for row in caller.projects()["projects"]} == {True, False}


@pytest.mark.parametrize(("value", "status"), [("400", 400), ("first", 200)])
def test_a_bad_page(value: str, status: int) -> None:
    with behaving(bad_page=value) as caller:
        path = f"/accounting/account/{caller.account}/users/clients?page=abc"
        assert caller.get(path).status_code == status


def test_services_that_do_not_page() -> None:
    with behaving(services_paging="ignored") as caller:
        path = f"/comments/business/{caller.business}/services?page=2&per_page=3"
        answer = caller.get(path).json()
        assert answer["meta"]["page"] == 1
        assert len(answer["services"]) == answer["meta"]["total"] > 3


def test_time_entries_paged_without_asking_and_shown_to_all() -> None:
    settings = {"others_time": "shown", "running_timers": "shown", "time_entries_default": "30"}
    with behaving(**settings) as caller:
        answer = caller.entries()
        assert answer["meta"]["per_page"] == 30
        rows = caller.entries("?per_page=100")["time_entries"]
        assert len({row["identity_id"] for row in rows}) > 1
        assert {row["is_logged"] for row in rows} == {True, False}


def test_a_total_of_what_can_be_seen() -> None:
    with behaving(total="visible") as caller:
        caller.at(4)
        assert caller.accounting("expenses/expenses")["total"] == 0


def test_team_members_by_thirty() -> None:
    with behaving(team_members_per_page="30") as caller:
        path = f"/auth/api/v1/businesses/{caller.business}/team_members"
        assert caller.get(path).json()["meta"]["per_page"] == 30


def test_the_newer_shape_of_accounting_errors() -> None:
    with behaving(accounting_errors="new") as caller:
        answer = caller.get(f"/accounting/account/{caller.account}/users/clients/99").json()
        assert answer["code"] == 5
        assert answer["message"] == "Request failed with status_code: 404"
        assert answer["details"][0]["reason"] == "1012"
        assert answer["details"][0]["metadata"]["message"] == "Client not found."


def test_the_short_text_of_a_missing_scope() -> None:
    with behaving(missing_scope="short") as caller:
        lesser = Caller(caller.sandbox, scopes=["user:clients:read"])
        answer = lesser.get(f"/projects/business/{lesser.business}/projects")
        lesser.session.close()
    assert answer.status_code == 403
    provided = "user:clients:read user:profile:read"
    message = f"insufficient_scope: provided [{provided}], required [user:projects:read]"
    assert answer.json() == {"message": message}


@pytest.mark.parametrize("wrong", [{"nonsense": "1"}, {"total": "some"}])
def test_a_behaviour_that_does_not_exist_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="total"):
        Sandbox(behaviours=wrong)
