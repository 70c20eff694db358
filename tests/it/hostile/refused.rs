//! Refused archives: what is kept of them, and what is advised.
