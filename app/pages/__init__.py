"""Pages for people: GraphiQL for developers, receipts for whoever is on call."""
