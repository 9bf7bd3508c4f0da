"""cm-cli, unchanged but for the registry's address: python manager_of_a_registry.py URL CM_CLI_ARGUMENTS..."""

import sys

import cm_cli.__main__ as cm_cli
from comfyui_manager.common import cnr_utils

if __name__ == "__main__":
    cnr_utils.base_url = sys.argv.pop(1)
    cm_cli.main()
