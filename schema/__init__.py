"""The inner contract: GraphQL types and operations, their failures, and the ports they need; it touches nothing outside."""
