"""What a person starts: the window."""

import sys

from desktop.__main__ import main

sys.exit(main())
