"""Several writers at once, each a process of a module such as proofs/writer.py."""

import subprocess
import sys
import threading


class Writers:
    """The writers' processes, and how far they are."""

    def __init__(self, module: str, *, count: int, transfers: int, seconds: float, seed: int) -> None:
        """Start processes of `module`; each commits its share in about `seconds`."""
        shares = [transfers // count + (number < transfers % count) for number in range(count)]
        self._done = [(0, 0)] * count
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", module, str(seed * 100 + number), str(share), str(seconds)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for number, share in enumerate(shares)
        ]
        self._threads = [threading.Thread(target=self._follow, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    @property
    def committed(self) -> int:
        """How many orders are committed."""
        return sum(committed for committed, _ in self._done)

    @property
    def rolled_back(self) -> int:
        """How many were rolled back."""
        return sum(rolled_back for _, rolled_back in self._done)

    def is_writing(self) -> bool:
        """Tell whether any still writes. Raises SystemExit if one has failed."""
        if any(process.poll() for process in self._processes):
            raise SystemExit("A writer has failed; its error is above.")
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """End them all."""
        for process in self._processes:
            process.kill()
            process.wait()

    def _follow(self, number: int) -> None:
        output = self._processes[number].stdout
        assert output is not None
        for line in output:
            committed, rolled_back = line.split()
            self._done[number] = int(committed), int(rolled_back)
