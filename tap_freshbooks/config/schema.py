"""JSON schema of the settings: names, types, defaults, titles and descriptions."""

from __future__ import annotations

from typing import Any

from singer_sdk import typing as th

from tap_freshbooks.config import sdk_settings

CONNECTION: tuple[th.Property[Any], ...] = (
    th.Property(
        "client_id",
        th.StringType,
        title="Client ID",
        description="Of the FreshBooks app; the developer portal shows it",
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Of the FreshBooks app",
    ),
    th.Property(
        "redirect_uri",
        th.StringType,
        title="Redirect URI",
        description="One of those registered with the FreshBooks app",
    ),
    th.Property(
        "refresh_token",
        th.StringType,
        secret=True,
        title="Refresh token",
        description="The first refresh token; from then on the token store rules. "
        "A new value here means that the account was authorised anew",
    ),
    th.Property(
        "access_token",
        th.StringType,
        secret=True,
        title="Access token",
        description="Without a refresh token: used as it is, and never refreshed",
    ),
    th.Property(
        "token_store",
        th.StringType,
        title="Token store",
        description="Where tokens live: a file, or a SQLAlchemy URL (sqlite:///…, "
        "postgresql+psycopg://…). Default: below Meltano's system directory, else "
        "the one --config file with the refresh token, else the user's state directory",
    ),
    th.Property(
        "token_encryption_key",
        th.StringType,
        secret=True,
        title="Token encryption key",
        description="Encrypts tokens at rest: a Fernet key, or several separated by commas, "
        "the newest first",
    ),
    th.Property(
        "connection",
        th.StringType(min_length=1),
        default="default",
        title="Connection",
        description="Names this FreshBooks user where several share a token store",
    ),
    th.Property(
        "auth_failure_url",
        th.StringType,
        title="Auth failure URL",
        description="Gets a POST of a JSON event, once, when the account must be authorised again",
    ),
)
"""Who reads, and where the tokens live."""

EXTRACTION: tuple[th.Property[Any], ...] = (
    th.Property(
        "business_ids",
        th.ArrayType(th.IntegerType),
        title="Business IDs",
        description="Which businesses to read; default: all that the user may read",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="The oldest change wanted, where FreshBooks can filter; default: all",
    ),
    th.Property(
        "include_deleted",
        th.BooleanType,
        default=True,
        title="Include deleted",
        description="Deliver deleted rows too, with _sdc_deleted_at",
    ),
    th.Property(
        "hard_deletes",
        th.StringType(allowed_values=["activate_version", "tombstones", "keep"]),
        default="activate_version",
        title="Hard deletes",
        description="What a target is told of rows that FreshBooks drops without a trace: "
        "activate_version sends their tables whole, for tables of one connection; tombstones sends "
        "the rows with _sdc_deleted_at, for tables that several connections share; keep nothing",
    ),
    th.Property(
        "max_state_keys",
        th.IntegerType(minimum=1),
        default=100_000,
        title="Max state keys",
        description="With hard_deletes: tombstones, how many rows of a stream and business may "
        "have their keys in the state, by which rows that are gone are found",
    ),
    th.Property(
        "unknown_fields",
        th.StringType(allowed_values=["warn", "keep"]),
        default="warn",
        title="Unknown fields",
        description="What happens to fields that this version does not know: the log names them, "
        "or, with keep, they come in the column _extra, too",
    ),
    th.Property(
        "full_refresh_interval",
        th.NumberType(minimum=0),
        default=7,
        title="Full refresh interval",
        description="Days after which an incremental stream is read whole once, since some "
        "values change without a new timestamp; 0 for each time",
    ),
    th.Property(
        "full_table_interval",
        th.CustomType(
            {
                "type": ["number", "object"],
                "minimum": 0,
                "additionalProperties": {"type": "number", "minimum": 0},
            }
        ),
        default=0,
        title="Full table interval",
        description="Hours after which a list that can only be read whole is read again, 0 for "
        "each time; or an object with hours by stream or pattern: "
        '{"taxes": 24, "journal_*": 6}',
    ),
    th.Property(
        "fail_on_skipped",
        th.BooleanType,
        default=False,
        title="Fail on skipped",
        description="Count a stream that the token, the role or the plan may not read as a "
        "failure: the run goes on, and ends with exit status 1",
    ),
)
"""Which rows are read."""

REPORTS: tuple[th.Property[Any], ...] = (
    th.Property(
        "report_interval",
        th.StringType(allowed_values=["month", "quarter", "year"]),
        default="month",
        title="Report interval",
        description="How long the periods of report streams are",
    ),
    th.Property(
        "report_lookback",
        th.IntegerType(minimum=0),
        default=2,
        title="Report lookback",
        description="How many of the last periods are read again each time",
    ),
    th.Property(
        "report_currencies",
        th.ArrayType(th.StringType(pattern="^[A-Z]{3}$")),  # of others, reports have no rows
        title="Report currencies",
        description="ISO codes to read reports for; default: the currency of the business",
    ),
)
"""The periods and currencies of report streams."""

UNIFIED: tuple[th.Property[Any], ...] = (
    th.Property(
        "unified_mappings",
        th.StringType,
        title="Unified mappings",
        description="A folder of files that change how the streams unified_… are filled "
        "(docs/unified.md)",
    ),
    th.Property(
        "unified_remote_data",
        th.BooleanType,
        default=False,
        title="Unified remote data",
        description="Give rows of the streams unified_… their native record in remote_data",
    ),
)
"""The unified model."""

WEBHOOKS: tuple[th.Property[Any], ...] = (
    th.Property(
        "webhook_inbox",
        th.StringType,
        secret=True,
        title="Webhook inbox",
        description="Where `tap-freshbooks webhooks serve` stores the events of FreshBooks: a "
        "SQLite file, or a SQLAlchemy URL. Then changed objects are read by their ids, within "
        "seconds",
    ),
    th.Property(
        "poll_interval",
        th.NumberType(minimum=0),
        default=1,
        title="Poll interval",
        description="With webhook_inbox: hours after which a stream without webhooks is read "
        "again; where full_table_interval is longer, that counts",
    ),
    th.Property(
        "reconcile_interval",
        th.NumberType(minimum=0),
        default=24,
        title="Reconcile interval",
        description="With webhook_inbox: hours after which the lists of a stream with webhooks "
        "are read all the same, since deliveries can be lost",
    ),
)
"""Reading by webhooks."""

REQUESTS: tuple[th.Property[Any], ...] = (
    th.Property(
        "max_concurrency",
        th.IntegerType(minimum=1, maximum=1000),
        default=4,
        title="Max concurrency",
        description="Requests in flight, at most",
    ),
    th.Property(
        "requests_per_second",
        th.NumberType(exclusive_minimum=0),
        default=10,
        title="Requests per second",
        description="Requests sent, at most",
    ),
    th.Property(
        "request_timeout",
        th.NumberType(exclusive_minimum=0),
        default=60,
        title="Request timeout",
        description="Seconds to wait for an answer, and for each next part of it; the whole of it "
        "may take five times as long",
    ),
    th.Property(
        "max_response_size",
        th.NumberType(exclusive_minimum=0),
        default=256,
        title="Max response size",
        description="Megabytes that one answer may have, once it is unpacked",
    ),
    th.Property(
        "max_attempts",
        th.IntegerType(minimum=1),
        default=8,
        title="Max attempts",
        description="Tries per request, the first included",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="Sent with each request; default: tap-freshbooks/VERSION",
    ),
    th.Property(
        "run_report",
        th.StringType,
        title="Run report",
        description="A file to which each run adds one line of JSON: what it has read, what that "
        "took, what failed and why; - for stderr",
    ),
    th.Property(
        "api_url",
        th.StringType,
        title="API URL",
        description="Base URL of the API; also from FRESHBOOKS_API_URL",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        title="Authorize URL",
        description="Base URL of the consent page; also from FRESHBOOKS_AUTH_URL",
    ),
)
"""How FreshBooks is asked."""


def settings_schema(custom_streams: th.Property[Any]) -> dict[str, Any]:
    """The JSON schema of all settings of the tap; the SDK adds its own.

    Args:
        custom_streams: The setting of this name. The room that reads it describes it.
    """
    return th.PropertiesList(
        *(*CONNECTION, *EXTRACTION, *REPORTS, custom_streams, *UNIFIED, *WEBHOOKS, *REQUESTS),
        *(sdk_settings.BATCHES, sdk_settings.STREAM_MAPS, *sdk_settings.FLATTENING),
    ).to_dict()
