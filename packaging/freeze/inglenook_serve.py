"""What a person starts in a terminal: the endpoint alone."""

import sys

from api.__main__ import main

sys.exit(main())
