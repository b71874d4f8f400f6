"""Reads what /metrics answers, with Prometheus' own parser."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: str) -> Samples:
    """Every sample by its name and labels; no series stands twice."""
    found = [
        ((sample.name, frozenset(sample.labels.items())), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)


def of(registry: CollectorRegistry) -> Samples:
    """The samples of a registry."""
    return samples(generate_latest(registry).decode())


def value(found: Samples, name: str, **labels: str) -> float | None:
    """The value of one series; None where it does not exist."""
    return found.get((name, frozenset(labels.items())))


def series(found: Samples, name: str) -> dict[tuple[str, ...], float]:
    """The series of one name: the values of their labels in the order of the labels' names, and theirs."""
    return {
        tuple(each for _, each in sorted(labels)): number for (named, labels), number in found.items() if named == name
    }
