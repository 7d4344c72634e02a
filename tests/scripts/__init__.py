"""What authors are told about their mistakes."""
