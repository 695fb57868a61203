"""Run the farm in this process."""

import sys

from camera_hub.simulator.cli import main

sys.exit(main())
