"""Compiles the relay's hot modules with mypyc:  python build_tools/compile_modules.py TARGET

TARGET gets the extension modules alone, laid out as in the root of a wheel; each stands in for the Python module of the
same source. Needs mypy and setuptools, a C compiler and Python's headers. Exit code 3 and one line: this machine lacks
something. `--check` says just that.
"""

import os
import shutil
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CANNOT = 3
GROUP = "camera_hub_compiled"
"""Name of the shared library that holds the code of all modules: GROUP__mypyc."""
MODULES = (
    "camera_hub/relay/fanout/batch.py",
    "camera_hub/relay/fanout/batch_fanout.py",
    "camera_hub/relay/fanout/in_step.py",
    "camera_hub/relay/fanout/run_writer.py",
    "camera_hub/relay/fanout/send_queue.py",
    "camera_hub/relay/fanout/sendmmsg.py",
    "camera_hub/relay/ingest/access_unit.py",
    "camera_hub/relay/ingest/codecs.py",
    "camera_hub/relay/ingest/depacketize.py",
    "camera_hub/relay/ingest/flood_guard.py",
    "camera_hub/relay/ingest/frame.py",
    "camera_hub/relay/ingest/gop_cache.py",
    "camera_hub/relay/ingest/key_frame_start.py",
    "camera_hub/relay/ingest/key_frame_throttle.py",
    "camera_hub/relay/ingest/losses.py",
    "camera_hub/relay/ingest/nal.py",
    "camera_hub/relay/ingest/nal_roles.py",
    "camera_hub/relay/ingest/packetize.py",
    "camera_hub/relay/ingest/parameter_sets.py",
    "camera_hub/relay/ingest/receiver_report.py",
    "camera_hub/relay/ingest/reorder_buffer.py",
    "camera_hub/relay/ingest/resend_history.py",
    "camera_hub/relay/ingest/rtp.py",
    "camera_hub/relay/ingest/source_tracker.py",
    "camera_hub/relay/ingest/stream_timeouts.py",
    "camera_hub/relay/ingest/timestamps.py",
    "camera_hub/relay/ingest/video_pipeline.py",
    "camera_hub/relay/peer/pacer.py",
    "camera_hub/relay/peer/sent_packets.py",
    "camera_hub/relay/peer/track.py",
    "camera_hub/relay/rtsp/message.py",
)
"""What runs for each packet or frame. Not among them: what awaits (a compiled ingest/feed.py never went live), and what
hands addresses of its locals to the system (fanout/sendmmsg_probe.py)."""


def missing() -> str | None:
    """What this machine lacks for compiling; None when all is there."""
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} instead of CPython"
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"no C compiler ({compiler})"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        return "no Python headers (Debian: python3-dev)"
    return None


def compile_into(target: Path) -> None:
    """Compile MODULES. Raises SystemExit when mypyc or the C compiler fails."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    os.chdir(ROOT)  # mypyc derives module names from the paths
    with tempfile.TemporaryDirectory() as scratch:
        extensions = mypycify(
            # What is not installed here (aiortc, pylibsrtp) is taken as Any, as mypyc treats it anyhow; that the types
            # are right is for mypy in CI to say.
            ["--config-file=", "--ignore-missing-imports", "--cache-dir", os.devnull, *MODULES],
            opt_level="2",
            debug_level="0",
            group_name=GROUP,
            target_dir=scratch,
        )
        command = build_ext(Distribution({"name": "camera-hub", "ext_modules": extensions}))
        command.build_lib, command.build_temp = str(target), str(Path(scratch) / "temp")
        command.ensure_finalized()
        command.run()


def main() -> None:
    lacking = missing()
    if lacking is not None:
        print(lacking)  # noqa: T201
        sys.exit(CANNOT)
    if sys.argv[1:] == ["--check"]:
        return
    if len(sys.argv) != 2:
        sys.exit("usage: compile_modules.py TARGET | --check")
    target = Path(sys.argv[1]).resolve()
    target.mkdir(parents=True, exist_ok=True)
    compile_into(target)


if __name__ == "__main__":
    main()
