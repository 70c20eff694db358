//! A stranger's project runs no program of its author.
