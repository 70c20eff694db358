//! Secrets in code, channels and tags are not sent.
