"""AWS on this computer, for tests: real HTTP, no account. See __main__.py for how it is started."""
