"""The event side. Source: contract 6."""
