"""The whole app under a load by chance, for minutes: `make soak`."""
