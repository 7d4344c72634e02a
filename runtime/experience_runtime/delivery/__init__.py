"""Deliveries: what runs claimed executions."""
