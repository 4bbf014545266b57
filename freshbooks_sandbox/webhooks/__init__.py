"""FreshBooks' part in webhooks: verification, signed deliveries, retries, giving up.

See docs/freshbooks-api/webhooks.md.

dispatcher.py turns a write into the messages for the callbacks it concerns, sender.py sends them.
"""
