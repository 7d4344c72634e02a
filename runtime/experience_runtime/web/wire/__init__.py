"""The wire: other programs' protocols (the gateway, CSML, the snippet)."""
