"""The integrations that come with the runtime. Each uses the public SDK only."""
