"""Settings: experience.toml and the environment, read once."""
