"""Plug-ins: the integrations that are installed, and the HTTP they may use."""
