"""Runs a report notebook with papermill, in this very interpreter, and leaves nothing behind.

Whatever kernels are registered on the machine, and whatever ``python3`` means there, the notebook runs with the
libraries of this process. The kernel talks over local sockets where the system has them, so that no network is
needed, keeps no history, and does not import from the working folder.
"""

import logging
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import evaluation
from evaluation.errors import Problem, ReportError

if TYPE_CHECKING:
    from nbformat import NotebookNode

Progress = Callable[[int, int], None]
_PATIENCE = 10  # seconds in which a kernel must end
_SOCKET_PATH = 80  # characters; systems allow about 100 for a local socket, the rest is its name
_OWN_ERRORS = frozenset({"DataError", "DesignError", "EstimationError", "ReportError", "EvaluationError"})
_OPTIONS = (
    "--IPKernelApp.ignore_cwd=True",
    "--IPKernelApp.log_level=50",  # the user is told by us what ended the kernel
    "--HistoryManager.enabled=False",
    "--InteractiveShell.colors=nocolor",
)


@dataclass
class _Place:
    """Where a kernel runs and keeps its files, and the kernel once it was started."""

    folder: Path
    scratch: Path
    kernel: Any = None


def _manager_class(place: _Place) -> type:
    """Return the class of kernels that run at `place`; made here, because importing its parent takes long."""
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    class OwnKernel(AsyncKernelManager):
        """A kernel that starts with this interpreter and its own files."""

        @property
        def kernel_spec(self) -> KernelSpec:
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *_OPTIONS]
            return KernelSpec(argv=command, display_name="Python", language="python")

        async def start_kernel(self, **kwargs: Any) -> None:  # type: ignore[override]
            place.kernel = self
            self.connection_file = str(place.scratch / "kernel.json")
            if sys.platform != "win32" and len(self.connection_file) < _SOCKET_PATH:
                self.transport = "ipc"
            await super().start_kernel(**{**kwargs, "cwd": str(place.folder), "env": _environment(place)})

    return OwnKernel


def _environment(place: _Place) -> dict[str, str]:
    """Return the environment of the kernel: its files at `place`, and the `evaluation` that runs here."""
    here = Path(evaluation.__file__).resolve().parent.parent
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if here.name not in {"site-packages", "dist-packages"}:
        paths = [str(here), *paths]
    own = {
        "IPYTHONDIR": str(place.scratch),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths))),
    }
    return {**os.environ, **own}


@dataclass
class _Run:
    """A notebook run in a thread of its own, so that this thread stays free to hear Ctrl-C."""

    notebook: "NotebookNode"
    parameters: Mapping[str, Any]
    place: _Place
    progress: Progress | None
    result: "NotebookNode | None" = None
    failure: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def execute(self) -> None:
        """Run the notebook; keep what comes out, or what went wrong."""
        from jupyter_core.utils import ensure_event_loop

        loop = ensure_event_loop()  # the one of this thread, which nobody else would close
        try:
            self.result = self._papermill()
        except BaseException as failure:  # handed to the waiting thread, which raises it
            self.failure = failure
        finally:
            loop.close()
            self.done.set()

    def _papermill(self) -> Any:
        from papermill import execute_notebook

        logging.getLogger("papermill").addHandler(logging.NullHandler())  # what matters is raised
        total = 1 + sum(cell.cell_type == "code" for cell in self.notebook.cells)
        ran = 0

        def count(**_: object) -> None:
            nonlocal ran
            ran += 1
            if self.progress:
                self.progress(ran, total)

        return execute_notebook(
            self.notebook,
            None,
            parameters=dict(self.parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=_manager_class(self.place),
            on_cell_executed=count,
        )


def run_notebook(
    notebook: "NotebookNode",
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    progress: Progress | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> "NotebookNode":
    """Run `notebook` and return it with its outputs.

    Parameters
    ----------
    notebook
        With a cell tagged ``parameters``.
    parameters
        Scalars, set after that cell.
    folder
        Working folder of the kernel.
    progress
        Called after each code cell with the number of cells done and in all.
    meanwhile
        Called once while the kernel works.

    Raises
    ------
    ReportError
        A cell failed; the message is the one that the cell raised.
    KeyboardInterrupt
        The user stopped the run; the kernel has ended.
    """
    import_module("papermill")  # before two threads import parts of it at once, which may fail half-way
    place = _Place(folder, Path(tempfile.mkdtemp(prefix="report-")))
    run = _Run(notebook, parameters, place, progress)
    thread = threading.Thread(target=run.execute, name="report-notebook", daemon=True)
    try:
        thread.start()
        if meanwhile:
            meanwhile()
        while not run.done.wait(0.2):
            pass
    finally:
        _end(place, thread)
        shutil.rmtree(place.scratch, ignore_errors=True)
    if run.failure is not None or run.result is None:
        failure = run.failure or RuntimeError("the notebook did not end")
        raise _worded(failure) from failure
    return run.result


def _end(place: _Place, thread: threading.Thread) -> None:
    """End the kernel where it still runs, also one that is only just starting; what waits for it then fails."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        process = getattr(getattr(place.kernel, "provisioner", None), "process", None)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait(timeout=_PATIENCE)
        if not thread.is_alive() or time.monotonic() > deadline:
            return
        thread.join(0.1)


def _worded(failure: BaseException) -> BaseException:
    """Return the failure of a cell or of the kernel as an error of the package; anything else as it is."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(failure, DeadKernelError):
        return ReportError(Problem("runner.kernel_died"))
    if not isinstance(failure, PapermillExecutionError):
        return failure
    if failure.ename in _OWN_ERRORS:
        return ReportError(Problem("runner.cell_stopped", message=str(failure.traceback[-1])))
    return ReportError(
        Problem("runner.cell_failed", cell=failure.exec_count, message=f"{failure.ename}: {failure.evalue}")
    )
