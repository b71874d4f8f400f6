"""Who is taken for dead, and who only when their lease is over: a process number means something in one place alone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ledger.owner import is_dead, own_name, where
from schema.types.receipt import Delivery, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Kind
from tests.ledger.world import World

OWN_NAME = (sys.executable, "-c", "from app.ledger.owner import own_name; print(own_name())")
ELSEWHERE = ("unshare", "--user", "--map-root-user", "--pid", "--fork")


@pytest.fixture
def world() -> Iterator[World]:
    made = World(new_home())
    yield made
    made.close()


def test_a_process_beside_us_is_dead_when_it_is_gone() -> None:
    """And an earlier one that had our number; one that runs is not."""
    assert is_dead(_said(*OWN_NAME))
    assert is_dead(own_name())
    assert not is_dead(f"{where()}:{os.getppid()}:x")


def test_a_process_of_another_namespace_is_not_dead() -> None:
    """Its hostname is ours, as with `docker run --network host`, and its number may be nobody's here, or our own."""
    try:
        there = _said(*ELSEWHERE, *OWN_NAME).rsplit(":", 2)[0]
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no PID namespace can be made here: this needs `unshare`, and user namespaces")
    assert there.startswith(socket.gethostname())
    assert not any(is_dead(f"{there}:{pid}:x") for pid in (os.getpid(), _free_number()))


def test_an_owner_that_only_has_a_hostname_is_not_dead() -> None:
    """As rows have that were written before owners said more: of such a process only the lease tells."""
    assert not is_dead(f"{socket.gethostname()}:{_free_number()}:x")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.operation.value)
def test_a_write_under_way_elsewhere_is_left_alone_until_its_lease_is_over(world: World, kind: Kind) -> None:
    """Its process has our number in another PID namespace of this host: nothing is in doubt, and nothing is sent twice."""
    world.start(f"{socket.gethostname()}/another namespace")
    world.truth.latency = 2.0
    world.write(kind, "a", "k", Delivery.WAIT)
    world.pass_time(4.5)
    world.start()  # here
    world.look()
    assert [(each.state, each.attempts) for each in world.rows()] == [(WriteState.SENDING, 1)]
    world.pass_time(3.0)
    assert [(each.state, each.attempts) for each in world.rows()] == [(WriteState.SUCCEEDED, 1)]
    assert world.wrongs() == []


def _said(*command: str) -> str:
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)  # noqa: S603  # our own arguments
    return done.stdout.strip()


def _free_number() -> int:
    """A process number that nobody has here."""
    gone = subprocess.Popen(["true"])  # noqa: S607  # a program of the system
    gone.wait()
    return gone.pid
