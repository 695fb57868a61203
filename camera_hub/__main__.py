"""`camera-hub` and `python -m camera_hub`: the command line (command_line.py), loaded quickly."""

import gc


def main() -> None:
    """Entry point of `camera-hub`.

    Half a million objects come to stay while everything is imported. Looking through them for garbage again and again
    would be a third of the time that a hub takes to start.
    """
    gc.disable()
    try:
        from camera_hub import command_line
    finally:
        gc.freeze()
        gc.enable()
    command_line.main()


if __name__ == "__main__":
    main()
