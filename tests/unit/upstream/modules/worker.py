"""A worker of a gateway: prints the address of the fake server, and again for each line that it is given."""

import asyncio
import sys
from pathlib import Path

from gatekey.upstream.children import Children


async def main() -> None:
    children = Children(Path(sys.argv[1]))
    print(await children.url("fake_server"), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(await children.url("fake_server"), flush=True)
    await children.close()


asyncio.run(main())
