"""Retainers, rates, timers, abilities, threads, groups and the search over time entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = ("retainers", "service_rates", "team_member_rates", "invitation_rates", "timers")
KEYS = {
    "retainers": {
        *("id", "business_id", "system_id", "client_user_id", "invoice_profile_id", "fee"),
        *("excess_rate", "budgeted_time", "start_date", "next_period_start_date", "active"),
        *("created_at", "updated_at"),
    },
    "service_rates": {"rate", "service_id", "business_id"},
    "team_member_rates": {"rate", "identity_id", "business_id"},
    "timers": {"id", "is_running", "time_entries"},
}


def comments(caller: Caller, path: str) -> Any:
    return caller.get(f"/comments/business/{caller.business}/{path}").json()


def timers(caller: Caller) -> list[dict[str, Any]]:
    found = caller.get(f"/timetracking/business/{caller.business}/timers").json()
    rows: list[dict[str, Any]] = found["timers"]
    return rows


@pytest.fixture
def promising() -> Iterator[Caller]:
    behaviours = {"invitation_rates": "filled", "inactive_retainers": "shown"}
    with Sandbox(invoices=40, rate_limit=0, behaviours=behaviours) as sandbox:
        caller = Caller(sandbox)
        yield caller
        caller.session.close()


@pytest.mark.parametrize("name", PLAIN)
def test_these_lists_have_no_meta_and_do_not_page(caller: Caller, name: str) -> None:
    answer = comments(caller, f"{name}?per_page=1&page=7")
    assert list(answer) == [name]
    if name in KEYS:
        assert answer[name]
        assert {frozenset(row) for row in answer[name]} == {frozenset(KEYS[name])}


def test_retainers_are_of_clients_and_the_active_ones_are_listed(caller: Caller) -> None:
    rows = comments(caller, "retainers")["retainers"]
    truth = caller.sandbox.truth("retainers")
    assert [row["id"] for row in rows] == sorted(row["id"] for row in truth if row["active"])
    assert len(rows) < len(truth)
    clients = {row["id"] for row in caller.sandbox.truth("clients")}
    assert {row["client_user_id"] for row in truth} <= clients
    for row in rows:
        assert row["start_date"] < "2026-01-31" < row["next_period_start_date"]
        assert row["created_at"] <= row["updated_at"]
    projects = caller.sandbox.truth("projects")
    linked = {row["retainer_id"]: row["client_id"] for row in projects if row["retainer_id"]}
    of = {row["id"]: row["client_user_id"] for row in truth}
    assert all(of[retainer] == client for retainer, client in linked.items())


def test_a_second_retainer_of_a_client_is_refused_in_a_string(writer: Caller) -> None:
    path = f"/comments/business/{writer.business}"
    standing = comments(writer, "retainers")["retainers"][0]
    body = {"client_user_id": str(standing["client_user_id"]), "fee": 1200, "excess_rate": 110}
    again = {"retainer": {**body, "start_date": "2026-02-01"}}
    answer = writer.request("POST", f"{path}/retainers", again)
    assert answer.status_code == 422
    assert answer.json() == {"errno": 2001, "error": "Retainer for client already exists"}
    single = f"{path}/retainer/{standing['id']}"
    ended = writer.request("PUT", single, {"retainer": {"active": False}}).json()["retainer"]
    assert (ended["active"], ended["updated_at"] > standing["updated_at"]) == (False, True)
    made = writer.request("POST", f"{path}/retainers", again).json()["retainer"]
    assert (made["fee"], made["excess_rate"]) == ("1200.00", "110.00")
    assert made["next_period_start_date"] == "2026-03-01"
    assert comments(writer, f"retainer/{made['id']}")["retainer"] == made
    assert "message" in comments(writer, "retainer/99")


def test_a_service_without_a_rate_is_missing_and_gets_one(writer: Caller) -> None:
    rated = {row["service_id"] for row in comments(writer, "service_rates")["service_rates"]}
    bare = next(r["id"] for r in writer.sandbox.truth("services") if r["id"] not in rated)
    path = f"/comments/business/{writer.business}/service/{bare}/rate"
    assert writer.get(path).status_code == 404
    for method, rate in (("POST", "45.00"), ("PUT", "47.50")):
        answer = writer.request(method, path, {"service_rate": {"rate": rate}})
        assert answer.json()["service_rate"]["rate"] == rate
    assert writer.get(path).json()["service_rate"]["rate"] == "47.50"
    assert len(comments(writer, "service_rates")["service_rates"]) == len(rated) + 1
    unknown = f"/comments/business/{writer.business}/service/9/rate"
    answer = writer.request("PUT", unknown, {"service_rate": {"rate": "1"}})
    assert answer.status_code == 404


def test_rates_are_of_the_team_and_promises_come_only_when_read_so(promising: Caller) -> None:
    team = {row["identity_id"] for row in promising.sandbox.truth("team_members")}
    rows = comments(promising, "team_member_rates")["team_member_rates"]
    assert {row["identity_id"] for row in rows} < team
    path = f"/comments/business/{promising.business}/team_member_rate/{rows[0]['identity_id']}"
    answer = promising.request("PUT", path, {"team_member_rate": {"rate": "61.00"}}).json()
    assert answer["team_member_rate"] == {**rows[0], "rate": "61.00"}
    promised = comments(promising, "invitation_rates")["invitation_rates"]
    assert set(promised[0]) == {"rate", "service_id", "business_id"}
    every = comments(promising, "retainers")["retainers"]
    assert {row["active"] for row in every} == {True, False}


def test_a_timer_holds_the_unlogged_entries_of_the_caller(caller: Caller) -> None:
    path = f"/comments/business/{caller.business}/timers"
    assert caller.get(path).json()["timers"] == timers(caller)
    query = f"?include_unlogged=true&identity_id={caller.sandbox.state.identity['id']}"
    unlogged = {r["id"]: r for r in caller.entries(query)["time_entries"] if not r["is_logged"]}
    segments = [entry for timer in timers(caller) for entry in timer["time_entries"]]
    assert {entry["id"] for entry in segments} == set(unlogged)
    assert [entry["started_at"] for entry in segments] == sorted(
        entry["started_at"] for entry in segments
    )
    for entry in segments:
        assert {**entry, "timer": unlogged[entry["id"]]["timer"]} == unlogged[entry["id"]]
    mine = {timer["id"] for timer in timers(caller)}
    (other,) = {row["id"] for row in caller.sandbox.truth("timers")} - mine
    path = f"/timetracking/business/{caller.business}/timers/{other}"
    assert caller.get(path).status_code == 404


def test_a_timer_is_started_paused_logged_and_discarded(writer: Caller) -> None:
    sandbox, base = writer.sandbox, f"/timetracking/business/{writer.business}"
    body = {"is_logged": False, "started_at": "2026-02-01T12:00:00Z"}
    entry = writer.request("POST", f"{base}/time_entries", {"time_entry": body}).json()
    key = entry["time_entry"]["timer"]["id"]
    timer = next(row for row in timers(writer) if row["id"] == key)
    assert (timer["is_running"], timer["time_entries"][0]["duration"]) == (True, None)
    assert sandbox.update("timers", key, is_running=False)["is_running"] is False
    assert len(sandbox.update("timers", key, is_running=True)["time_entries"]) == 2
    logged = {"timer": {"time_entries": [{"note": "done"}]}}
    assert writer.request("PUT", f"{base}/timers/{key}", logged).status_code == 200
    assert key not in {row["id"] for row in timers(writer)}
    done = writer.get(f"{base}/time_entries/{entry['time_entry']['id']}").json()["time_entry"]
    assert (done["is_logged"], done["timer"], done["note"]) == (True, None, "done")
    assert done["duration"] > 0
    other = timers(writer)[0]
    assert writer.request("DELETE", f"{base}/timers/{other['id']}").status_code == 204
    assert timers(writer) == []


def test_nine_abilities_and_a_customer_has_one(caller: Caller) -> None:
    def named() -> dict[str, bool]:
        path = f"/projects/business/{caller.business}/abilities"
        return {row["name"]: row["value"] for row in caller.get(path).json()["abilities"]}

    assert len(named()) == 9
    assert all(named().values())


def test_threads_belong_to_their_project(writer: Caller) -> None:
    truth = writer.sandbox.truth("project_threads")
    project = writer.sandbox.truth("projects")[1]["id"]
    found = comments(writer, f"project/{project}/threads")
    assert {row["id"] for row in found["threads"]} < {row["id"] for row in truth}
    assert found["meta"]["total"] == len(found["threads"]) > 0
    assert set(found["threads"][0]) == {"id", "message"}
    path = f"/comments/business/{writer.business}/project/{project}/threads"
    made = writer.request("POST", path, {"thread": {"message": "Monday."}}).json()["thread"]
    assert made in comments(writer, f"project/{project}/threads")["threads"]
    assert writer.get(path.replace(str(project), "9")).status_code == 404


def test_a_group_is_known_from_the_single_project_alone(caller: Caller) -> None:
    assert caller.get(f"/projects/business/{caller.business}/groups").status_code == 404
    groups = {row["id"]: row for row in caller.sandbox.truth("project_groups")}
    for project in caller.projects()["projects"][:8]:
        path = f"/projects/business/{caller.business}/project/{project['id']}"
        group = caller.get(path).json()["project"]["group"]
        assert group == groups[project["group_id"]]
        assert set(group["members"][0]) == {
            *("id", "identity_id", "role", "first_name", "last_name", "email", "company"),
            "active",
        }
    invitations = [found for group in groups.values() for found in group["pending_invitations"]]
    assert {frozenset(found) for found in invitations} == {
        frozenset(("id", "group_id", "capacity", "to_email"))
    }


def test_the_search_pages_by_thirty_and_shows_others_without_asking(caller: Caller) -> None:
    found = comments(caller, "time_entries/search")
    assert set(found) == {
        *("meta", "time_entries", "aggregations", "download_token", "abilities"),
    }
    assert (found["meta"]["per_page"], len(found["time_entries"])) == (30, 30)
    # The sums are not computed here.
    assert found["meta"]["total_logged"] == found["meta"]["total_unbilled"] == 0
    every = comments(caller, "time_entries/search?per_page=100")["time_entries"]
    assert len({row["identity_id"] for row in every}) > 1
    assert {row["highlight"] for row in every} == {None}
    started = [row["started_at"] for row in every]
    assert started == sorted(started, reverse=True)
    assert [row["time_entry_id"] for row in found["abilities"]] == [
        row["id"] for row in found["time_entries"]
    ]


def test_the_search_finds_people_and_projects(caller: Caller) -> None:
    person = caller.sandbox.truth("team_members")[1]
    found = comments(caller, f"time_entries/search?q={person['last_name']}&per_page=100")
    rows = found["time_entries"]
    assert person["identity_id"] in {row["identity_id"] for row in rows}
    assert all(f"<em>{person['last_name']}</em>" in row["highlight"] for row in rows)
    project = rows[0]["project_id"] or caller.sandbox.truth("projects")[0]["id"]
    path = f"/timetracking/business/{caller.business}/time_entries/search?project_id={project}"
    assert {r["project_id"] for r in caller.get(path).json()["time_entries"]} == {project}


EDITS = (
    *("retainers", "service_rates", "team_member_rates", "invitation_rates", "timers"),
    *("project_threads", "callbacks", "checkout_links", "payment_gateways", "payment_options"),
    "business_group_members",
)


@pytest.mark.parametrize("name", EDITS)
def test_each_can_be_edited_without_a_token(own: Sandbox, name: str) -> None:
    before = own.count(name)
    made = own.create(name, count=1)[0]
    assert own.count(name) == before + 1
    own.update(name, "newest")
    own.delete(name, "newest")
    left = own.truth(name)
    switches = ("active", "is_active")
    assert len(left) == before or any(left[-1].get(switch) is False for switch in switches)
    assert made


@pytest.mark.parametrize("name", ["abilities", "project_groups", "time_entry_details"])
def test_what_follows_from_others_cannot_be_edited_by_itself(own: Sandbox, name: str) -> None:
    assert own.count(name) > 0
    with pytest.raises(Exception, match="edit those"):
        own.delete(name, "newest")
