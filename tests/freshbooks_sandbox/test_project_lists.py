from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller


def test_projects_page_by_thirty_and_echo_the_sort(caller: Caller) -> None:
    found = caller.projects("?sort=whatever")
    assert found["meta"]["per_page"] == 30
    assert found["meta"]["sort"] == ["whatever"]
    assert caller.projects()["meta"]["sort"] == []


def test_projects_come_newest_first_and_turn_at_an_unknown_sort(caller: Caller) -> None:
    ids = [row["id"] for row in caller.projects()["projects"]]
    assert ids == sorted(ids, reverse=True)
    turned = [row["id"] for row in caller.projects("?sort=updated_at:asc")["projects"]]
    assert turned == sorted(ids)
    titles = [row["title"].casefold() for row in caller.projects("?sort=-title")["projects"]]
    assert titles == sorted(titles, reverse=True)


def test_archived_and_deleted_projects_are_hidden(caller: Caller) -> None:
    usual = caller.projects()["projects"]
    assert {(row["active"], row["complete"]) for row in usual} == {(True, False)}
    archived = caller.projects("?complete=true")["projects"]
    assert {(row["active"], row["complete"]) for row in archived} == {(True, True)}
    deleted = caller.projects("?active=False")["projects"]
    assert {row["active"] for row in deleted} == {False}


def test_updated_since_is_inclusive_to_the_second(caller: Caller) -> None:
    rows = caller.projects("?per_page=100")["projects"]
    moment = sorted(row["updated_at"] for row in rows)[len(rows) // 2]
    expected = {row["id"] for row in rows if row["updated_at"] >= moment}
    for form in (moment, f"{moment}Z", quote(f"{moment}+00:00")):
        found = caller.projects(f"?per_page=100&updated_since={form}")["projects"]
        assert {row["id"] for row in found} == expected
    assert caller.projects("?updated_since=2099-01-01")["meta"]["pages"] == 0


@pytest.mark.parametrize("value", ["x", "2026-01-31T17:05:09+00:00", "tomorrow, noon"])
def test_a_malformed_moment_is_a_422(caller: Caller, value: str) -> None:
    # An unencoded plus sign arrives as a blank (docs/freshbooks-api/projects-and-time.md §3).
    path = f"/timetracking/business/{caller.business}/time_entries?updated_since={value}"
    answer = caller.get(path)
    assert answer.status_code == 422
    assert answer.json()["errno"] == 2001
    assert "valid datetime" in answer.json()["error"]["updated_since"]


@pytest.mark.parametrize("name", ["team", "include_unlogged", "include_deleted"])
def test_a_switch_that_is_no_boolean_is_a_422(caller: Caller, name: str) -> None:
    path = f"/timetracking/business/{caller.business}/time_entries"
    answer = caller.get(f"{path}?{name}=perhaps")
    assert (answer.status_code, answer.json()["errno"]) == (422, 2001)
    assert "valid boolean" in answer.json()["error"][name]
    assert caller.get(f"{path}?{name}=FALSE&nonsense=perhaps").status_code == 200


def test_the_accounting_spelling_of_filters_is_ignored(caller: Caller) -> None:
    assert caller.projects("?search[updated_since]=2099-01-01") == caller.projects()
    assert caller.entries("?search[client_id]=0&nonsense=1") == caller.entries()


def test_a_page_that_is_no_number_is_a_422(caller: Caller) -> None:
    answer = caller.get(f"/projects/business/{caller.business}/projects?page=abc")
    assert (answer.status_code, answer.json()["errno"]) == (422, 2001)
    assert caller.projects("?page=0")["meta"]["page"] == 1
    assert caller.projects("?page=99")["projects"] == []


def test_the_list_has_group_id_and_the_single_record_group(caller: Caller) -> None:
    listed = caller.projects()["projects"][0]
    assert "group" not in listed
    for word in ("project", "projects"):
        path = f"/projects/business/{caller.business}/{word}/{listed['id']}"
        answer = caller.get(path).json()
        assert answer["project"]["group"]["id"] == listed["group_id"]
        assert "group_id" not in answer["project"]
        assert answer["abilities"]
    assert "group_id" not in caller.projects("?skip_group=true")["projects"][0]


def test_logged_duration_comes_only_when_asked_for(caller: Caller) -> None:
    assert {row["logged_duration"] for row in caller.projects()["projects"]} == {None}
    filled = caller.projects("?include_logged_duration=true")["projects"]
    assert any(row["logged_duration"] for row in filled)


def test_time_entries_are_unpaged_without_per_page(caller: Caller) -> None:
    meta = caller.entries("?team=true")["meta"]
    assert meta["per_page"] == meta["total"] > 100
    assert meta["pages"] == 1
    assert "sort" not in meta
    paged = caller.entries("?team=true&per_page=30")
    assert (paged["meta"]["per_page"], len(paged["time_entries"])) == (30, 30)


def test_others_time_comes_only_with_team(caller: Caller) -> None:
    own = caller.entries()["time_entries"]
    assert len({row["identity_id"] for row in own}) == 1
    team = caller.entries("?team=true")["time_entries"]
    assert len({row["identity_id"] for row in team}) > 1
    assert len(team) > len(own)


def test_deleted_and_running_entries_come_only_when_asked_for(caller: Caller) -> None:
    usual = caller.entries("?team=true")["time_entries"]
    assert all(row["active"] and row["is_logged"] for row in usual)
    deleted = caller.entries("?team=true&include_deleted=1")["time_entries"]
    assert len([row for row in deleted if not row["active"]]) == len(deleted) - len(usual) > 0
    running = caller.entries("?team=true&include_unlogged=true")["time_entries"]
    unlogged = [row for row in running if not row["is_logged"]]
    assert len(unlogged) == 3
    assert {row["duration"] is None for row in unlogged} == {True, False}
    assert all(row["timer"]["is_running"] for row in unlogged)


def test_entries_show_no_update_stamp_but_filter_by_one(caller: Caller) -> None:
    truth = caller.sandbox.truth("time_entries")
    moment = sorted(row["updated_at"] for row in truth)[len(truth) // 2]
    query = f"?team=true&include_deleted=1&include_unlogged=1&updated_since={moment}"
    found = caller.entries(query)["time_entries"]
    assert "updated_at" not in found[0]
    assert {r["id"] for r in found} == {r["id"] for r in truth if r["updated_at"] >= moment}
    # A delete moves the hidden timestamp.
    assert any(row["updated_at"] > row["created_at"] and not row["active"] for row in truth)


def test_totals_cover_the_filtered_set(caller: Caller) -> None:
    full = caller.entries("?team=true")
    paged = caller.entries("?team=true&per_page=5&page=2")
    assert paged["meta"]["total_logged"] == full["meta"]["total_logged"]
    assert full["meta"]["total_logged"] == sum(row["duration"] for row in full["time_entries"])


def test_totals_are_broken_down_by_person_client_project_and_day(caller: Caller) -> None:
    answer = caller.entries("?team=true")
    rows, meta = answer["time_entries"], answer["meta"]

    def logged(*names: str) -> Counter[tuple[Any, ...]]:
        found: Counter[tuple[Any, ...]] = Counter()
        for row in rows:
            day = {"date": row["local_started_at"][:10], **row}
            found[tuple(day[name] for name in names)] += row["duration"]
        return found

    sums: dict[str, Counter[tuple[Any, ...]]] = {name: Counter() for name in ("p", "d", "c", "m")}
    for member in meta["total_logged_per_team_member"]:
        key = member["identity_id"]
        for client in member["total_logged_per_client"]:
            for project in client["total_logged_per_project"]:
                place = key, client["client_id"], project["project_id"]
                sums["p"][place] += project["total_logged"]
        for day in member["total_logged_per_day"]:
            for client in day["total_logged_per_client"]:
                sums["d"][key, day["date"], client["client_id"]] += client["total_logged"]
        sums["m"][key,] += member["total_logged"]
    for client in meta["total_logged_per_client"]:
        for member in client["total_logged_per_team_member"]:
            sums["c"][client["client_id"], member["identity_id"]] += member["total_logged"]
    assert sums["p"] == logged("identity_id", "client_id", "project_id")
    assert sums["d"] == logged("identity_id", "date", "client_id")
    assert sums["c"] == logged("client_id", "identity_id")
    assert sums["m"] == logged("identity_id")


def test_started_from_and_to_are_inclusive_utc(caller: Caller) -> None:
    rows = caller.entries("?team=true")["time_entries"]
    moment = rows[len(rows) // 2]["started_at"]
    found = caller.entries(f"?team=true&started_from={moment}&started_to={moment}")
    assert moment in {row["started_at"] for row in found["time_entries"]}
    assert {row["started_at"] for row in found["time_entries"]} == {moment}


def test_services_page_by_fifty_and_can_name_their_task(caller: Caller) -> None:
    path = f"/comments/business/{caller.business}/services"
    answer = caller.get(path).json()
    assert answer["meta"]["per_page"] == 50
    assert "task_id" not in answer["services"][0]
    filled = caller.get(f"{path}?include_task_id=true").json()["services"]
    assert all(row["task_id"] for row in filled)
    one = caller.get(f"/comments/business/{caller.business}/service/{filled[0]['id']}").json()
    assert one["service"] == answer["services"][0]


def test_a_business_without_an_account_still_has_projects(caller: Caller) -> None:
    caller.at(3)
    assert caller.account is None
    assert caller.projects()["projects"]
    assert caller.entries()["time_entries"]
