"""The types: each is both a GraphQL type and the record that the gateway works with."""
