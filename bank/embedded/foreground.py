"""Work in the foreground: until it ends, or until Ctrl-C or whoever started it says so."""

import asyncio
from collections.abc import Coroutine
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, getsignal

from bank.embedded.supervisor import cancel


async def until_told_to_stop(work: Coroutine[None, None, None]) -> None:
    """Await `work`, but no longer than until a SIGINT, SIGTERM or SIGHUP."""
    stop = asyncio.Event()
    for signal in (SIGINT, SIGTERM, SIGHUP):
        if getsignal(signal) is not SIG_IGN:  # nohup asks to outlive its terminal
            asyncio.get_running_loop().add_signal_handler(signal, stop.set)
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await cancel(stopping)
        await cancel(working)
