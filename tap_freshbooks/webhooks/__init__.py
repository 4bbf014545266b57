"""Webhooks: registered with FreshBooks, received into an inbox, read by the event-driven sync."""
