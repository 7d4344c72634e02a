"""Confined: processes that give up every right they do not need before they see a stranger's text."""
