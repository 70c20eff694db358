#!/bin/sh
# What a shell entry point sees: the same dump, made by the python3 that comes first.
exec python3 dump.py "$@"
