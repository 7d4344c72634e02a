"""The event side. Source: reference/scheduled-events."""
