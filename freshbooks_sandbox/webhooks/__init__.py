"""FreshBooks' part in webhooks: verification, signed deliveries, retries, giving up.

See docs/freshbooks-api/webhooks.md.

switchboard.py hears of writes and decides whom they concern, courier.py carries the messages.
"""
