"""The behaviours of lists, pages and records: one sandbox with one thing switched, over HTTP."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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


def ids(rows: Any, key: str = "id") -> list[int]:
    return [row[key] for row in rows]


def test_a_vis_state_that_is_no_filter() -> None:
    with behaving(deleted_filter_ignored="expense_categories,bill_vendors") as caller:
        for path in ("expenses/categories", "bill_vendors/bill_vendors"):
            key = path.rpartition("/")[2]
            plain = caller.accounting(f"{path}?per_page=100")[key]
            assert caller.accounting(f"{path}?per_page=100&search[vis_state]=1")[key] == plain
        assert caller.accounting("users/clients?search[vis_state]=1")["clients"]


def test_searches_without_effect() -> None:
    with behaving(search_ignored="journal_entry_details,clients") as caller:
        path = "journal_entries/journal_entry_details"
        total = caller.accounting(path)["total"]
        assert caller.accounting(f"{path}?search[start_date]=2099-01-01")["total"] == total
        assert caller.accounting("users/clients?search[email]=nobody")["clients"]
        assert not caller.accounting("users/clients?search[updated_min]=2099-01-01")["clients"]
        assert not caller.accounting("invoices/invoices?search[customerid]=1")["invoices"]


def test_includes_that_add_nothing() -> None:
    with behaving(includes_ignored="invoices,services") as caller:
        rows = caller.accounting("invoices/invoices?include[]=lines")["invoices"]
        single = caller.accounting(f"invoices/invoices/{rows[0]['id']}?include[]=lines")["invoice"]
        assert not any("lines" in row for row in [*rows, single])
        path = f"/comments/business/{caller.business}/services?include_task_id=true"
        assert not any("task_id" in row for row in caller.get(path).json()["services"])
        assert "lines" in caller.accounting("estimates/estimates?include[]=lines")["estimates"][0]


def test_sort_keys_without_effect() -> None:
    with behaving(sort_ignored="invoices,projects") as caller:
        plain = caller.accounting("invoices/invoices")["invoices"]
        assert caller.accounting("invoices/invoices?sort=invoice_date_asc")["invoices"] == plain
        assert caller.projects("?sort=title")["projects"] == caller.projects()["projects"]
        clients = caller.accounting("users/clients?sort=organization_name_asc")["clients"]
        assert clients != caller.accounting("users/clients")["clients"]


def test_lists_with_the_oldest_first() -> None:
    with behaving(oldest_first="estimates,expenses") as caller:
        for path, key in (("estimates/estimates", "estimates"), ("expenses/expenses", "expenses")):
            found = ids(caller.accounting(path)[key])
            assert found == sorted(found)
        clients = ids(caller.accounting("users/clients")["clients"])
        assert clients == sorted(clients, reverse=True)
    with behaving(oldest_first="all") as caller:
        found = ids(caller.projects()["projects"])
        assert found == sorted(found)


def test_small_pages_whatever_is_asked() -> None:
    with behaving(small_pages="invoices,journal_entries") as caller:
        page = caller.accounting("invoices/invoices?per_page=100")
        assert (len(page["invoices"]), page["per_page"]) == (15, 15)
        assert page["pages"] == -(-page["total"] // 15)
        assert caller.accounting("users/clients?per_page=100")["per_page"] == 100
        caller.sandbox.create("journal_entries", count=10)
        caller.session.headers["x-api-version"] = "2023-09-25"
        path = f"/accounting/businesses/{caller.uuid}/journal_entries?page_size=100"
        assert len(caller.get(path).json()["manualJournalEntries"]) == 15


def test_no_cap_on_pages() -> None:
    with behaving(page_cap="none") as caller:
        caller.sandbox.create("clients", count=120)
        page = caller.accounting("users/clients?per_page=500")
        assert len(page["clients"]) == page["total"] > 100
        assert page["per_page"] == 500


def test_an_answer_that_repeats_the_per_page_that_was_asked() -> None:
    with behaving(per_page_echo="asked") as caller:
        caller.sandbox.create("clients", count=120)
        page = caller.accounting("users/clients?per_page=500")
        assert (len(page["clients"]), page["per_page"], page["pages"]) == (100, 500, 2)
        assert caller.accounting("users/clients")["per_page"] == 15


def test_a_page_past_the_end_that_names_the_last_one() -> None:
    with behaving(past_the_end="last") as caller:
        page = caller.accounting("users/clients?page=99&per_page=100")
        assert (page["clients"], page["page"]) == ([], page["pages"])
        assert caller.accounting("users/clients?page=1")["page"] == 1
        empty = caller.accounting("users/clients?page=3&search[userid]=1")
        assert (empty["page"], empty["pages"]) == (1, 0)


def test_lists_without_a_word_of_their_pages() -> None:
    with behaving(page_metadata_missing="clients") as caller:
        assert set(caller.accounting("users/clients")) == {"clients"}
        assert set(caller.accounting("invoices/invoices")) > {"page", "pages"}


def test_rows_under_a_key_that_no_file_has() -> None:
    with behaving(envelope="clients,projects") as caller:
        assert "clients" not in caller.accounting("users/clients")
        assert caller.accounting("users/clients")["sandbox_rows"]
        assert caller.projects()["sandbox_rows"]
        assert caller.accounting("invoices/invoices")["invoices"]


def test_a_total_that_is_too_high_and_another_default() -> None:
    with behaving(totals="taxes", default_per_page="clients") as caller:
        taxes = caller.accounting("taxes/taxes")
        assert (taxes["total"], taxes["pages"]) == (len(taxes["taxes"]) + 1, 1)
        assert len(caller.accounting("users/clients")["clients"]) == 10
        assert caller.accounting("users/clients?per_page=12")["per_page"] == 12
        assert caller.accounting("invoices/invoices")["per_page"] == 15


def test_a_row_that_is_there_twice() -> None:
    with behaving(repeated_rows="clients") as caller:
        rows = caller.accounting("users/clients")["clients"]
        assert rows[0] == rows[1]
        assert len(set(ids(rows))) == len(rows) - 1
        assert caller.accounting("users/clients?search[userid]=1")["clients"] == []


def test_fields_kinds_and_words_that_no_file_knows() -> None:
    plain = {"unknown_fields": "taxes", "other_kinds": "clients,time_entries"}
    with behaving(**plain, unknown_words="invoices,estimates") as caller:
        assert "sandbox_field" in caller.accounting("taxes/taxes")["taxes"][0]
        client = caller.accounting("users/clients")["clients"][0]
        assert isinstance(client["allow_email_include_pdf"], list)
        assert "sandbox_field" not in client
        assert isinstance(caller.entries()["time_entries"][0]["is_logged"], list)
        invoice = caller.accounting("invoices/invoices")["invoices"][0]
        assert invoice["deposit_status"] == "sandbox_word"
        estimate = caller.accounting("estimates/estimates")["estimates"][0]
        assert estimate["display_status"] == "sandbox_word"
        assert caller.sandbox.truth("estimates")[0]["display_status"] != "sandbox_word"


def test_timestamps_in_utc() -> None:
    with behaving(utc_timestamps="tasks,invoices") as caller:
        caller.sandbox.clock(now="2026-07-02T02:00:00Z", frozen=True)
        for resource in ("tasks", "invoices", "taxes"):
            caller.sandbox.create(resource)
        task = max(caller.accounting("projects/tasks")["tasks"], key=lambda row: row["id"])
        invoice = caller.accounting("invoices/invoices")["invoices"][0]
        assert task["updated"] == invoice["updated"] == "2026-07-02 02:00:00"
        assert invoice["version"].startswith("2026-07-02 02:00:00.")
        tax = max(caller.accounting("taxes/taxes")["taxes"], key=lambda row: row["id"])
        assert tax["updated"] == "2026-07-01 22:00:00"


def test_deleted_time_that_is_not_listed() -> None:
    with behaving(deleted_time="ignored") as caller:
        query = "?team=true&per_page=100"
        found = caller.entries(f"{query}&include_deleted=true")["time_entries"]
        assert found == caller.entries(query)["time_entries"]


def test_ordinary_answers_without_rate_limit_headers() -> None:
    with behaving(rate_limit_headers="absent") as caller:
        answer = caller.get("/auth/api/v1/users/me")
        assert answer.status_code == 200
        names = {name.casefold() for name in answer.headers}
        assert not any(name.startswith("x-ratelimit") for name in names)
        assert "retry-after" not in names


def test_one_window_of_the_rate_limit_or_one_for_each_family_and_for_who_we_are() -> None:
    def left(caller: Caller) -> list[tuple[str, int]]:
        accounting = f"/accounting/account/{caller.account}/items/items"
        me, work = "/auth/api/v1/users/me", f"/projects/business/{caller.business}/projects"
        answers = [caller.get(path).headers for path in (me, accounting, work, accounting, me)]
        names = ("X-RateLimit-Limit", "X-RateLimit-Remaining")
        return [(answer[names[0]], int(answer[names[1]])) for answer in answers]

    for windows, expected in (
        ("one", [("9", 7), ("9", 6), ("9", 5), ("9", 4), ("9", 3)]),
        ("several", [("20", 19), ("9", 8), ("9", 8), ("9", 7), ("20", 18)]),
    ):
        behaviours = {"rate_limit_windows": windows}
        with Sandbox(invoices=1, rate_limit=9, behaviours=behaviours) as sandbox:
            caller = Caller(sandbox)
            assert left(caller) == expected
            caller.session.close()


@pytest.mark.parametrize("key", ["credit_note", "credit_notes"])
def test_the_key_of_a_single_credit_note(key: str) -> None:
    with behaving(credit_note_key=key) as caller:
        path = f"/accounting/account/{caller.account}/credit_notes/credit_notes"
        rows = caller.accounting("credit_notes/credit_notes")["credit_notes"]
        assert list(caller.accounting(f"credit_notes/credit_notes/{rows[0]['id']}")) == [key]
        body = {"clientid": rows[0]["clientid"], "create_date": "2026-01-31"}
        for sent in ("credit_note", "credit_notes"):
            answer = caller.request("POST", path, {sent: body})
            assert list(answer.json()["response"]["result"]) == [key]


def test_staff_under_its_other_key() -> None:
    with behaving(staff_key="staffs") as caller:
        assert caller.accounting("users/staffs")["staffs"]
        assert list(caller.accounting("users/staffs/1")) == ["staff"]


def test_the_category_of_a_bill_line_as_text() -> None:
    with behaving(bill_category="text") as caller:
        bill = caller.accounting("bills/bills")["bills"][0]
        names = {row["category"] for row in caller.sandbox.truth("expense_categories")}
        assert {line["category"] for line in bill["lines"]} <= names
        assert bill["overall_category"] == bill["lines"][0]["category"]


def test_dates_of_lines_with_a_time() -> None:
    def dates(caller: Caller) -> set[str]:
        rows = caller.accounting("invoices/invoices?include[]=lines&per_page=100")["invoices"]
        return {line["date"] for row in rows for line in row["lines"]} - {None}

    with behaving() as caller:
        plain = dates(caller)
    with behaving(line_dates="timed") as caller:
        assert dates(caller) == {f"{day} 15:43:26" for day in plain}
    assert plain


def test_late_fees_and_reminders_of_another_kind() -> None:
    with behaving(late_fee_value="text", late_reminder_id="text") as caller:
        query = "include[]=late_fee&include[]=late_reminders&per_page=100"
        rows = caller.accounting(f"invoices/invoices?{query}")["invoices"]
        assert {row["late_fee"]["value"] for row in rows if row["late_fee"]} == {"10"}
        reminders = [reminder for row in rows for reminder in row["late_reminders"]]
        assert reminders
        assert all(isinstance(reminder["id"], str) for reminder in reminders)


def test_inactive_accounts_that_are_not_listed() -> None:
    with behaving(inactive_accounts="hidden") as caller:
        path = f"/accounting/businesses/{caller.uuid}"
        listed = caller.get(f"{path}/ledger_accounts/accounts").json()["data"]
        assert {row["state"] for row in listed} == {"active"}
        caller.sandbox.create("ledger_accounts", name="New", number="1998")
        assert len(caller.get(f"{path}/ledger_accounts/accounts").json()["data"]) == len(listed) + 1
        chart = caller.get(f"{path}/reports/chart_of_accounts?use_ledger_entries=true").json()
        charted = chart["response"]["result"]["journal_entry_accounts"]
        below = [sub for row in charted for sub in row["sub_accounts"]]
        assert {row["state"] for row in below} > {"active"}


def test_reports_that_are_gone_from_their_old_path() -> None:
    with behaving(account_reports="gone") as caller:
        old = f"/accounting/account/{caller.account}/reports/accounting"
        new = f"/accounting/businesses/{caller.uuid}/reports"
        for name, path in (("profit_and_loss", "profitloss_entity"), ("cash_flow", "cash_flow")):
            assert caller.get(f"{old}/{path}").status_code == 404
            assert caller.get(f"{new}/{name}").status_code == 200
        assert caller.get(f"{old}/balance_sheet").status_code == 200


def test_a_chart_of_accounts_that_wants_its_switch() -> None:
    with behaving(use_ledger_entries="required") as caller:
        path = f"/accounting/businesses/{caller.uuid}/reports/chart_of_accounts"
        assert caller.get(path).status_code == 422
        assert caller.get(f"{path}?use_ledger_entries=true").status_code == 200


def test_journal_entries_of_any_version() -> None:
    with behaving(journal_version="optional") as caller:
        path = f"/accounting/businesses/{caller.uuid}/journal_entries"
        assert caller.get(path).json()["manualJournalEntries"]


@pytest.mark.parametrize("key", ["threads", "data", "list"])
def test_where_threads_are_in_the_answer(key: str) -> None:
    with behaving(threads_envelope=key) as caller:
        projects = caller.sandbox.truth("projects")
        found = [
            caller.get(f"/comments/business/{caller.business}/project/{row['id']}/threads").json()
            for row in projects
        ]
    rows = [row for answer in found for row in (answer if key == "list" else answer[key])]
    assert rows
    assert all("meta" in answer for answer in found) == (key == "threads")


@pytest.mark.parametrize("key", ["checkout_links", "checkout-links", "list"])
def test_where_checkout_links_are_in_the_answer(key: str) -> None:
    with behaving(checkout_links_envelope=key) as caller:
        found = caller.get(f"/payments/account/{caller.account}/checkout-links").json()
    assert found if key == "list" else found[key]


def test_the_timestamps_of_callbacks_in_sql_form() -> None:
    def written(caller: Caller) -> list[str]:
        path = f"/events/account/{caller.account}/events/callbacks?per_page=100"
        rows = caller.get(path).json()["response"]["result"]["callbacks"]
        return [row["updated_at"] for row in rows]

    with behaving() as caller:
        iso = written(caller)
        caller.session.headers["Api-Version"] = "alpha"
        alpha = written(caller)
        del caller.session.headers["Api-Version"]
        assert written(caller) == iso
    with behaving(callback_timestamps="sql") as caller:
        assert written(caller) == alpha
    assert all(text.endswith("Z") for text in iso)
    assert not any(set("TZ") & set(text) for text in alpha)


SHAPES = {
    "message": lambda body: body["message"],
    "error": lambda body: body["error"]["message"],
    "errors": lambda body: body["response"]["errors"][0]["message"],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_where_the_text_of_a_missing_scope_is_on_accounting(shape: str) -> None:
    with behaving(accounting_missing_scope=shape) as caller:
        lesser = Caller(caller.sandbox, scopes=["user:taxes:read"])
        answer = lesser.get(f"/accounting/account/{lesser.account}/users/clients")
        ledger = lesser.get(f"/accounting/businesses/{lesser.uuid}/ledger_accounts/accounts")
        lesser.session.close()
    assert answer.status_code == ledger.status_code == 403
    assert SHAPES[shape](answer.json()).startswith("insufficient_scope")
    assert ("errors" in ledger.json()) == (shape == "errors")


@pytest.mark.parametrize("demanded", ["account", "journal_entries"])
def test_the_scope_of_the_ledger(demanded: str) -> None:
    other = {"account": "journal_entries", "journal_entries": "account"}[demanded]
    with behaving(ledger_scopes=demanded) as caller:
        codes = {}
        for name in (demanded, other):
            scopes = ["user:reports:read", f"user:{name}:read"]
            holder = Caller(caller.sandbox, scopes=scopes)
            path = f"/accounting/businesses/{holder.uuid}"
            codes[name] = {
                holder.get(f"{path}/{rest}").status_code
                for rest in ("ledger_accounts/accounts", "reports/general_ledger")
            }
            holder.session.close()
    assert codes == {demanded: {200}, other: {403}}


def test_a_list_that_demands_another_scope() -> None:
    with behaving(scopes="clients,callbacks") as caller:
        lesser = Caller(caller.sandbox, scopes=["user:clients:read", "user:taxes:read"])
        answer = lesser.get(f"/accounting/account/{lesser.account}/users/clients")
        assert answer.status_code == 403
        assert "Required: ['user:business:read']" in answer.json()["message"]
        assert lesser.accounting("taxes/taxes")
        lesser.session.close()
        assert caller.accounting("users/clients")["clients"]


def test_a_resource_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="invioces"):
        Sandbox(behaviours={"small_pages": "invoices,invioces"})
