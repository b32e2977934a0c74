"""What to make of the candidates of a search: averaged models, and scores without luck."""
