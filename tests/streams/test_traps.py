"""The vendor's traps, one test each: what a naive reader would get wrong."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.conftest import settings_for
from tests.support import sync

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import Messages, Record


@pytest.fixture(scope="module")
def read(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Messages:
    return sync(settings_for(sandbox, tmp_path_factory.mktemp("tokens")))


def of(read: Messages, stream: str, sandbox: Sandbox) -> list[tuple[Record, Record]]:
    """Each record of the first business, beside the row that FreshBooks holds."""
    business = sandbox.businesses()[0]
    truth = {row["id"]: row for row in sandbox.truth(stream)}
    own = (business["account_id"], business["id"])
    return [
        (record, truth[record["id"]])
        for record in read.records[stream]
        if record.get("account_id", record.get("business_id")) in own
    ]


class TestAccounting:
    def test_lines_come_with_their_invoices(self, read: Messages) -> None:
        for record in read.records["invoices"]:
            assert [line["lineid"] for line in record["lines"]]
            assert all(line["invoiceid"] == record["id"] for line in record["lines"])

    def test_no_include_is_forgotten(self, read: Messages) -> None:
        for name in ("lines", "presentation", "owner", "allowed_gateways", "contacts", "late_fee"):
            assert all(name in record for record in read.records["invoices"]), name
        for name in ("outstanding_balance", "late_reminders", "contacts"):
            assert all(name in record for record in read.records["clients"]), name

    def test_money_is_exact(self, read: Messages, sandbox: Sandbox) -> None:
        pairs = of(read, "invoices", sandbox)
        assert sum(Decimal(record["amount"]["amount"]) for record, _ in pairs) == sum(
            Decimal(row["amount"]["amount"]) for _, row in pairs
        )
        assert all(record["amount"] == row["amount"] for record, row in pairs)

    def test_a_tax_amount_is_a_percent_on_lines_and_money_on_expenses(self, read: Messages) -> None:
        lines = [line for record in read.records["invoices"] for line in record["lines"]]
        assert {type(line["taxAmount1"]) for line in lines} == {str}
        assert {type(r["taxAmount1"]) for r in read.records["expenses"]} == {dict, type(None)}

    def test_deleted_rows_arrive_marked_and_archived_ones_unmarked(self, read: Messages) -> None:
        for stream in ("clients", "invoices", "estimates", "payments", "expenses", "items"):
            records = read.records[stream]
            assert {r["vis_state"] for r in records} >= {0, 1}, stream
            for record in records:
                deleted = record["vis_state"] == 1
                assert (record["_sdc_deleted_at"] is not None) == deleted
                if deleted:
                    assert record["_sdc_deleted_at"] == record["updated"]
        assert 2 in {record["vis_state"] for record in read.records["invoices"]}

    def test_deleted_rows_are_left_out_if_not_wanted(
        self, sandbox: Sandbox, config: dict[str, Any]
    ) -> None:
        messages = sync({**config, "include_deleted": False})
        for stream in ("invoices", "projects", "time_entries"):
            assert messages.records[stream]
            assert all(r["_sdc_deleted_at"] is None for r in messages.records[stream])
        invoices = [row for n in (1, 2) for row in sandbox.truth("invoices", n)]
        assert len(messages.records["invoices"]) == sum(row["vis_state"] != 1 for row in invoices)

    def test_stamps_are_eastern_except_where_they_are_utc(
        self, read: Messages, sandbox: Sandbox
    ) -> None:
        summer = winter = 0
        for record, row in of(read, "clients", sandbox):
            assert record["signup_date"] == row["signup_date"].replace(" ", "T") + "Z"
            naive = row["updated"].replace(" ", "T") + "Z"
            month = row["updated"][5:7]
            if month in {"06", "07", "08"}:
                summer += hours_between(naive, record["updated"]) == 4
            elif month in {"12", "01", "02"}:
                winter += hours_between(naive, record["updated"]) == 5
        assert summer
        assert winter

    def test_rows_stamped_in_the_hour_that_november_has_twice_are_read(
        self, read: Messages, sandbox: Sandbox
    ) -> None:
        twice = [
            (record, row)
            for stream in ("invoices", "expenses", "clients", "payments", "items")
            for record, row in of(read, stream, sandbox)
            if row["updated"][5:13] in {"11-02 01", "11-03 01", "11-05 01"}
        ]
        assert twice
        for record, row in twice:
            assert hours_between(row["updated"].replace(" ", "T") + "Z", record["updated"]) == 4

    def test_a_total_that_counts_more_than_the_token_may_see_ends_nothing_early(
        self, sandbox: Sandbox, config: dict[str, Any]
    ) -> None:
        sandbox.faults(
            "status",
            status=200,
            body='{"response": {"result": {"expenses": [], "page": 1, "pages": 2, "total": 16}}}',
            content_type="application/json",
            client_id=config["client_id"],
            path="*/expenses/expenses",
            times=1,
        )
        messages = sync(config, "expenses")
        sandbox.faults_clear()
        assert messages.records["expenses"]

    @pytest.mark.parametrize("errors", ["old", "new"])
    def test_both_shapes_of_errors_skip_a_feature_that_the_plan_lacks(
        self, tmp_path: Path, errors: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Sandbox(invoices=5, rate_limit=0, behaviours={"accounting_errors": errors}) as sandbox:
            sandbox.faults("deny", reason="feature", path="*/items/*")
            messages = sync(settings_for(sandbox, tmp_path), "items", "taxes")
            assert sandbox.stats()["refreshes"] == 1
        assert not messages.records["items"]
        assert messages.records["taxes"]
        assert sum(line.startswith("Skipped") for line in caplog.messages) == 2

    def test_a_row_that_moves_to_the_next_page_while_reading_is_delivered_once(
        self, own_sandbox: Sandbox, own_config: dict[str, Any]
    ) -> None:
        own_sandbox.create("invoices", count=150)
        own_sandbox.clock(advance=60)  # what changed just now would be delivered once more
        own_sandbox.faults(
            "change",
            action="create",
            resource="invoices",
            count=3,
            path=f"*/{own_sandbox.businesses()[0]['account_id']}/invoices/*",
            times=1,
        )
        records = sync(own_config, "invoices").records["invoices"]
        keys = [(record["account_id"], record["id"]) for record in records]
        after = own_sandbox.count("invoices") + own_sandbox.count("invoices", 2)
        assert len(keys) == len(set(keys)) == after

    def test_journal_entries_are_not_asked_for_unless_they_are_selected(
        self, own_sandbox: Sandbox, own_config: dict[str, Any]
    ) -> None:
        messages = sync(own_config)
        paths = own_sandbox.stats(own_config["client_id"])["paths"]
        assert [path for path in paths if path.endswith("/ledger_accounts/accounts")]
        assert not [path for path in paths if path.endswith("/journal_entries")]
        assert not {"journal_entries", "journal_entry_lines"} & {
            message.get("stream") for message in messages.all
        }

    @pytest.mark.parametrize("envelope", ["manualJournalEntries", "data", "journalEntries", "list"])
    def test_journal_entries_are_read_wherever_an_answer_has_them(
        self, tmp_path: Path, envelope: str
    ) -> None:
        behaviours = {"journal_envelope": envelope}
        with Sandbox(invoices=5, rate_limit=0, behaviours=behaviours) as sandbox:
            config = settings_for(sandbox, tmp_path)
            records = sync(config, "journal_entries", "journal_entry_lines").records
            truth = [
                (business["business_uuid"], row["id"], len(row["details"]))
                for business in sandbox.businesses()
                if business["role"] not in {"client", "none"}
                for row in sandbox.truth("journal_entries", business["id"])
            ]
        entries = [
            (record["business_uuid"], record["id"], len(record["details"]))
            for record in records["journal_entries"]
        ]
        assert sorted(entries) == sorted(truth)
        assert truth
        assert len(records["journal_entry_lines"]) == sum(lines for _, _, lines in truth)

    def test_taxes_and_ledger_accounts_show_no_deletions(self, read: Messages) -> None:
        for stream in ("taxes", "ledger_accounts"):
            assert all("_sdc_deleted_at" not in record for record in read.records[stream])


class TestProjectsAndTime:
    @pytest.mark.parametrize("archived", ["hidden", "shown"])
    @pytest.mark.parametrize("deleted", ["listed", "ignored"])
    def test_archived_and_deleted_projects_arrive_in_every_reading(
        self, tmp_path: Path, archived: str, deleted: str
    ) -> None:
        behaviours = {"archived_projects": archived, "deleted_projects": deleted}
        with Sandbox(rate_limit=0, behaviours=behaviours) as sandbox:
            records = sync(settings_for(sandbox, tmp_path), "projects").records["projects"]
            truth = [row for n in (1, 2, 3) for row in sandbox.truth("projects", n)]
        keys = [(record["business_id"], record["id"]) for record in records]
        assert len(keys) == len(set(keys))
        expected = truth if deleted == "listed" else [row for row in truth if row["active"]]
        assert len(records) == len(expected)
        assert any(record["complete"] for record in records)
        for record in records:
            assert (record["_sdc_deleted_at"] is None) == record["active"]

    def test_zoneless_stamps_of_projects_are_utc(self, read: Messages, sandbox: Sandbox) -> None:
        for record, row in of(read, "projects", sandbox):
            assert record["updated_at"] == row["updated_at"].rstrip("Z") + "Z"

    def test_logged_durations_are_filled(self, read: Messages) -> None:
        assert all(record["logged_duration"] is not None for record in read.records["projects"])

    def test_time_entries_of_the_whole_team_arrive(self, read: Messages) -> None:
        [me] = read.records["identity"]
        people = {record["identity_id"] for record in read.records["time_entries"]}
        assert people > {me["id"]}

    def test_running_timers_and_deleted_entries_arrive(self, read: Messages) -> None:
        entries = read.records["time_entries"]
        running = [entry for entry in entries if not entry["is_logged"]]
        assert running
        assert any(entry["duration"] is None for entry in running)
        deleted = [entry for entry in entries if not entry["active"]]
        assert deleted
        assert all(entry["_sdc_deleted_at"] for entry in deleted)
        assert not any(entry["_sdc_deleted_at"] for entry in entries if entry["active"])

    def test_wall_clock_times_keep_their_own_zone(self, read: Messages) -> None:
        assert all(
            entry["local_started_at"] is None or not entry["local_started_at"].endswith("Z")
            for entry in read.records["time_entries"]
        )

    @pytest.mark.parametrize("paging", ["honoured", "ignored"])
    @pytest.mark.parametrize("more", [0, 130])
    def test_services_arrive_whether_they_are_paged_or_not(
        self, tmp_path: Path, paging: str, more: int
    ) -> None:
        with Sandbox(invoices=5, rate_limit=0, behaviours={"services_paging": paging}) as sandbox:
            if more:
                sandbox.create("services", count=more)
            records = sync(settings_for(sandbox, tmp_path), "services").records["services"]
            listed = [
                row
                for n in (1, 2, 3)
                for row in sandbox.truth("services", n)
                if row["vis_state"] != 1
            ]
        assert len(records) == len(listed)

    def test_accounts_of_the_ledger_are_records_of_their_own(self, read: Messages) -> None:
        accounts = read.records["ledger_accounts"]
        uuids = {account["uuid"] for account in accounts}
        assert any(account["parent_account"] in uuids for account in accounts)


def hours_between(earlier: str, later: str) -> float:
    moments = [datetime.fromisoformat(text) for text in (earlier, later)]
    return (moments[1] - moments[0]).total_seconds() / 3600
