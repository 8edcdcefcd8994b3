"""Fields of requests and answers that several dialects share, and their translation to and from the engine."""
