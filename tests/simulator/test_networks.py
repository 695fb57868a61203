"""Farms of tests in several processes do not meet."""

import subprocess
import sys

import pytest

from camera_hub.simulator.testing import own_network

OTHERS = "from camera_hub.simulator.testing import own_network; print(*(own_network() for _ in range(30)))"


@pytest.mark.slow
def test_processes_that_run_at_once_have_no_network_in_common() -> None:
    ours = {own_network() for _ in range(30)}
    said = subprocess.run([sys.executable, "-c", OTHERS], capture_output=True, text=True, check=True)
    theirs = set(said.stdout.split())
    assert len(ours) == len(theirs) == 10
    assert not ours & theirs


def test_farms_of_one_process_that_follow_each_other_have_different_networks() -> None:
    networks = [own_network() for _ in range(10)]
    assert len(set(networks)) == 10
