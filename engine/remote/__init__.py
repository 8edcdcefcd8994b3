"""Chat models on other servers, as engines like the local one.

Only this folder sends the words of a chat over the network. All of it runs on one thread (`remote_thread.py`); a
connection has one HTTP client (`client.py`), and each of its models one engine (`remote_engine.py`)."""
