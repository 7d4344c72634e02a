"""The sandbox: everything that knows JavaScript."""
