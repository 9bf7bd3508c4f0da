"""A custom node pack for tests: says which modules the host has loaded."""

import sys

from aiohttp import web
from server import PromptServer

NODE_CLASS_MAPPINGS = {}


@PromptServer.instance.routes.get("/installing/modules")
async def modules(_: web.Request) -> web.Response:
    return web.json_response(sorted(sys.modules))
