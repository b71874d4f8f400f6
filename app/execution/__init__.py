"""From document to answer: parse, validate, choose the operation, run."""
