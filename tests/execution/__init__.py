"""Execution: what is compiled answers as graphql-core does."""
