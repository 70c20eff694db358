//! Bounds: answers, listings and archives of absurd sizes or speeds end with an error.
