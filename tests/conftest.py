"""For all tests: signals act as they do for a person at a terminal."""

import signal

# A shell starts what goes to the background with SIGINT ignored, and that is
# inherited: interruptions would not be heard.
signal.signal(signal.SIGINT, signal.default_int_handler)
