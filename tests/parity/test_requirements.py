"""A host that is too old gets one clear error when the pack loads."""

import pytest

from idlora_pack.nodes.host.requirements import check_host


@pytest.mark.parametrize("version", ["0.3.76", "0.16.3", "0.18.2", "0.20.0"])
def test_old_hosts_are_told_which_version_is_needed(version):
    with pytest.raises(RuntimeError, match=f"needs ComfyUI 0.20.1 or newer, and this is {version}"):
        check_host(version)


@pytest.mark.parametrize("version", ["0.20.1", "0.24.1", "0.30.0", "1.0.0"])
def test_newer_hosts_pass(version):
    check_host(version)


def test_the_running_host_passes():
    check_host()
