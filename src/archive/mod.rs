//! Deterministic tar.gz out, safe and streaming tar.gz in.
